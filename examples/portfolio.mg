# Markowitz's portfolio and the Sharpe ratio, by the weights of the assets.
w, mu : vector(n)                 # weights, expected returns
S : posdef(n)                     # covariance of the returns
gamma : scalar                    # aversion to risk

u = mu'*w - 0.5*gamma*w'*S*w
sharpe = mu'*w/sqrt(w'*S*w)

grad u wrt w
grad sharpe wrt w
