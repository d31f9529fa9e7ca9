# A collection of small facts that exams ask for.
A, B : matrix(n, n)
S : symmetric(n)
x, y : vector(n)
M : invertible(n)
s : scalar

claim x'*A*y = y'*A'*x
claim x'*(A - A')*x = 0
claim tr(x*y') = y'*x
claim diag(x)*y = x .* y = diag(y)*x
claim normsq(x + y) = normsq(x) + 2*x'*y + normsq(y)
claim normsq(A*x) = x'*A'*A*x
claim vec(A*B) = kron(eye(n), A)*vec(B)
claim tr(A'*B) = vec(A)'*vec(B)
claim inv(M') = inv(M)'
claim det(s*M) = s^n*det(M)
claim d(x'*S*x) = 2*x'*S*dx
claim d(exp(s*x)) = exp(s*x) .* (ds*x + s*dx)
claim d(log(det(M))) = tr(inv(M)*dM)
claim d(norm(x)) = x'*dx/norm(x)
claim d(x ./ norm(x)) = (eye(n) - x*x'/normsq(x))*dx/norm(x)
