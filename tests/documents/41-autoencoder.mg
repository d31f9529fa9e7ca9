# A linear autoencoder, and why it is PCA.
X : matrix(N, D)
E : matrix(D, K)
F : matrix(K, D)

R = X*E*F - X
f = 1/2*normsq(R)

proof df:
  df = <R, dR>
     = <R, X*dE*F + X*E*dF>
     = tr(F*R'*X*dE) + tr(R'*X*E*dF)

claim grad f wrt E = X'*R*F'
claim grad f wrt F = (X*E)'*R
claim d(X*E*F) = dX*E*F + X*dE*F + X*E*dF
