# Layer norm: each row of X is centred and scaled, then stretched by gamma and shifted by beta.
X, G : matrix(n, d)               # input, and the adjoint of the output
gamma, beta : row(d)

M = X - rowmean(X)
s = sqrt(rowmean(M.^2) + 1e-5)
H = M ./ s
L = sum(G .* (H .* gamma + beta))

grad L wrt X, gamma, beta
