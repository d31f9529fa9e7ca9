//! A long document for tests and benches: pages of derivations, each with names of its own, as in a thesis.

/// Pages that take turns; `@` is the number of the page.
const PAGES: [&str; 3] = [
    r"
## Chapter @: a network

```matgrad
X@ : matrix(N, D)
Y@ : onehot(N, C)
W@1 : matrix(D, H)
b@1 : row(H)
W@2 : matrix(H, C)
b@2 : row(C)
lambda : scalar
```

The forward pass has two layers, with an element-wise $\sigma$ and the softmax of each row. We write $N$ for the number of
samples and let the bias be a row, so that every sample gets the same one.

$$
\begin{aligned}
Z_{@1} &= X_{@} W_{@1} + \mathbf{1}_N b_{@1} \\
H_{@1} &= \sigma(Z_{@1}) \\
Z_{@2} &= H_{@1} W_{@2} + \mathbf{1}_N b_{@2} \\
P_{@} &= \operatorname{softmax}(Z_{@2})
\end{aligned}
$$

$$L_{@} = -\frac{1}{N} \operatorname{tr}(Y_{@}^\top \log P_{@}) + \lambda \left(\|W_{@1}\|_F^2 + \|W_{@2}\|_F^2\right)$$

Going back, one layer at a time, the errors are passed through the transposed weights:

$$\frac{\partial L_{@}}{\partial Z_{@2}} = \frac{1}{N} (P_{@} - Y_{@})$$

$$\mathrm{d}Z_{@2} = \mathrm{d}H_{@1} \, W_{@2} + H_{@1} \, \mathrm{d}W_{@2} + \mathbf{1}_N \, \mathrm{d}b_{@2}$$

$$
\begin{aligned}
\frac{\partial L_{@}}{\partial W_{@2}} &= \frac{1}{N} H_{@1}^\top (P_{@} - Y_{@}) + 2 \lambda W_{@2} \\
\frac{\partial L_{@}}{\partial b_{@2}} &= \frac{1}{N} \mathbf{1}_N^\top (P_{@} - Y_{@}) \\
\frac{\partial L_{@}}{\partial H_{@1}} &= \frac{1}{N} (P_{@} - Y_{@}) W_{@2}^\top
\end{aligned}
$$

$$\mathrm{d}H_{@1} = \sigma'(Z_{@1}) \odot \mathrm{d}Z_{@1}, \qquad \frac{\partial L_{@}}{\partial Z_{@1}} = \frac{1}{N} (P_{@} - Y_{@}) W_{@2}^\top \odot \sigma'(Z_{@1})$$

$$
\begin{aligned}
\frac{\partial L_{@}}{\partial W_{@1}} &= \frac{1}{N} X_{@}^\top \left( (P_{@} - Y_{@}) W_{@2}^\top \odot \sigma'(Z_{@1}) \right) + 2 \lambda W_{@1} \\
\frac{\partial L_{@}}{\partial b_{@1}} &= \frac{1}{N} \mathbf{1}_N^\top \left( (P_{@} - Y_{@}) W_{@2}^\top \odot \sigma'(Z_{@1}) \right)
\end{aligned}
$$
",
    r"
## Chapter @: a Gaussian

```matgrad
Sigma@ : posdef(n)
S@ : symmetric(n)
A@ : matrix(m, n)
x@ : vector(n)
y@ : vector(m)
```

The log-likelihood in its covariance, up to constants:

$$f_{@} = \log \det \Sigma_{@} + \operatorname{tr}(\Sigma_{@}^{-1} S_{@})$$

$$d(\Sigma_{@}^{-1}) = -\Sigma_{@}^{-1} \, d\Sigma_{@} \, \Sigma_{@}^{-1}$$

$$
\begin{aligned}
df_{@} &= \operatorname{tr}(\Sigma_{@}^{-1} d\Sigma_{@}) - \operatorname{tr}(\Sigma_{@}^{-1} \, d\Sigma_{@} \, \Sigma_{@}^{-1} S_{@}) \\
   &= \operatorname{tr}(\Sigma_{@}^{-1} d\Sigma_{@}) - \operatorname{tr}(\Sigma_{@}^{-1} S_{@} \Sigma_{@}^{-1} d\Sigma_{@}) \\
   &= \operatorname{tr}\left((\Sigma_{@}^{-1} - \Sigma_{@}^{-1} S_{@} \Sigma_{@}^{-1}) \, d\Sigma_{@}\right)
\end{aligned}
$$

$$\frac{\partial f_{@}}{\partial \Sigma_{@}} = \Sigma_{@}^{-1} - \Sigma_{@}^{-1} S_{@} \Sigma_{@}^{-1}$$

Least squares on the side, with the residual named:

$$r_{@} = A_{@} x_{@} - y_{@}, \qquad q_{@} = \frac{1}{2} \|r_{@}\|_2^2$$

$$
\begin{aligned}
dq_{@} &= r_{@}^\top dr_{@} \\
   &= (A_{@} x_{@} - y_{@})^\top A_{@} \, dx_{@}
\end{aligned}
$$

$$\nabla_{x_{@}} q_{@} = A_{@}^\top (A_{@} x_{@} - y_{@}), \qquad \nabla_{x_{@}}^2 q_{@} = A_{@}^\top A_{@}$$
",
    r"
## Chapter @: factors

Let $B_{@} \in \mathbb{R}^{m \times n}$, $U_{@} \in \mathbb{R}^{m \times r}$ and $V_{@} \in \mathbb{R}^{n \times r}$.

$$E_{@} = U_{@} V_{@}^\top - B_{@}, \qquad g_{@} = \frac{1}{2} \|E_{@}\|_F^2$$

$$dE_{@} = dU_{@} \, V_{@}^\top + U_{@} \, dV_{@}^\top$$

$$
\begin{aligned}
dg_{@} &= \langle E_{@}, dE_{@} \rangle \\
   &= \operatorname{tr}(E_{@}^\top dU_{@} \, V_{@}^\top) + \operatorname{tr}(E_{@}^\top U_{@} \, dV_{@}^\top)
\end{aligned}
$$

$$\frac{\partial g_{@}}{\partial U_{@}} = E_{@} V_{@}, \qquad \frac{\partial g_{@}}{\partial V_{@}} = U_{@}^\top E_{@}$$

Entry by entry the error is a sum over the hidden index, and so is the gradient:

$$\frac{\partial g_{@}}{\partial U_{@}} = (U_{@} V_{@}^\top - B_{@}) V_{@}$$
",
];

/// A document of so many pages. Each third has a wrong line.
pub fn document(pages: usize) -> String {
    let mut out = "# Derivations\n".to_owned();
    for page in 0..pages {
        out.push_str(&PAGES[page % PAGES.len()].replace('@', &(page + 1).to_string()));
    }
    // One declaration is enough for a name of all pages.
    let first = out.find("lambda : scalar\n").map_or(0, |at| at + 1);
    let rest = out[first..].replace("lambda : scalar\n", "");
    out.truncate(first);
    out + &rest
}
