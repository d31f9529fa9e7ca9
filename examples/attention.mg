# Self-attention of n tokens and a squared loss, by the three projections.
dim n, d, k, p                    # tokens, features, width of queries and keys, width of values
X : matrix(n, d)
Wq, Wk : matrix(d, k)
Wv : matrix(d, p)
T : matrix(n, p)                  # targets

Q = X*Wq
K = X*Wk
V = X*Wv
A = softmax(Q*K'/sqrt(k))         # each row sums to 1
O = A*V
L = 0.5*normsq(O - T)

grad L wrt Wq, Wk, Wv
