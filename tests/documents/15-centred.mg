# Means of rows, and a loss that is a mean.
X : matrix(N, D)
w : vector(D)
y : vector(N)
mu = X'*ones(N)/N
f = mean((X*w - y).^2)

proof df:
  df = 2/N*(X*w - y)'*X*dw

claim mu = colmean(X)'
claim grad f wrt w = 2/N*X'*(X*w - y)
claim grad f wrt y = -2/N*(X*w - y)
