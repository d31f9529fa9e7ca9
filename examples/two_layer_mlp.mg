# A two-layer network that classifies the rows of X: the loss and the gradients of all parameters.
# matgrad derive examples/two_layer_mlp.mg --steps brief
dim N, D, H, C                    # sample count, features, hidden units, classes
X  : matrix(N, D)                 # data
Y  : onehot(N, C)                 # one-hot targets: entries 0/1, each row sums to 1
W1 : matrix(D, H)
b1 : row(H)
W2 : matrix(H, C)
b2 : row(C)
lambda : scalar                   # regularisation

Z1 = X*W1 + b1
H1 = relu(Z1)
Z2 = H1*W2 + b2
P  = softmax(Z2)
L  = -1/N * tr(Y' * log(P)) + lambda*(sum(W1.^2) + sum(W2.^2))

grad L wrt W1, b1, W2, b2
