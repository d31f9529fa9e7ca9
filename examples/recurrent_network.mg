# Two steps of a recurrent network: the weights are used twice, so their gradients are sums.
U : matrix(h, h)
V : matrix(h, n)
x1, x2 : vector(n)
h0, c : vector(h)

h1 = tanh(U*h0 + V*x1)
h2 = tanh(U*h1 + V*x2)
L = c'*h2

grad L wrt U, V, h0
