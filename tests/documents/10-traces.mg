# Tricks for traces.
A, B, C : matrix(m, n)
D : matrix(n, m)
x, y : vector(n)

claim x'*y = tr(x'*y)
claim tr(A*D) = tr(D*A)
claim tr(A*D) = tr(D'*A')
claim tr(A'*(B .* C)) = tr((A .* B)'*C)
claim tr(A'*B) = sum(A .* B) = <A, B>
claim tr((A + B)*D) = tr(A*D) + tr(B*D)
claim sum(A) = tr(ones(m, n)'*A)
claim normsq(A) = tr(A'*A)
claim rowsum(A) = A*ones(n)
