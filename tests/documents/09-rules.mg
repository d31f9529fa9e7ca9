# The rules of differentials, for all matrices of fitting shape.
X, Y : matrix(m, n)
Z : matrix(n, p)
A : invertible(k)
lambda : scalar

claim d(X + Y) = dX + dY
claim d(lambda*X) = dlambda*X + lambda*dX
claim d(X*Z) = dX*Z + X*dZ
claim d(X') = dX'
claim d(X .* Y) = dX .* Y + X .* dY
claim d(X ./ Y) = (dX .* Y - X .* dY) ./ (Y .* Y)
claim d(sigma(X)) = sigma'(X) .* dX
claim d(inv(A)) = -inv(A)*dA*inv(A)
claim d(det(A)) = det(A)*tr(inv(A)*dA)
claim d(logdet(A)) = tr(inv(A)*dA)
claim d(tr(A)) = tr(dA)
claim d(tr(A*A)) = 2*tr(A*dA)
claim d(normsq(X)) = 2*tr(X'*dX)
