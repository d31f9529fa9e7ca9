//! The keys by which results are known where numbers are exchanged: `grad(L,W1)`.

use super::{Direction, Outcome};
use crate::syntax::ast::AskKind;

impl Outcome {
    /// `grad(L,W1)`, `jacobian(Y,X)`, `hessian(L,X,X)`, `differential(L)`, `hessian(L,X) along V`.
    pub fn key(&self) -> String {
        let of = self.of.split_whitespace().collect::<Vec<_>>().join(" ");
        let wrt = self.wrt.join(",");
        match self.kind {
            AskKind::Gradient => format!("grad({of},{wrt})"),
            AskKind::Jacobian => format!("jacobian({of},{wrt})"),
            AskKind::Hessian if self.wrt.len() == 1 => format!("hessian({of},{wrt},{wrt})"),
            AskKind::Hessian => format!("hessian({of},{wrt})"),
            AskKind::Differential => format!("differential({of})"),
            AskKind::HessianAlong => format!("hessian({of},{wrt}){}", self.behind()),
            AskKind::JacobianAlong | AskKind::JacobianAgainst => format!("jacobian({of},{wrt}){}", self.behind()),
        }
    }

    /// ` along V`, ` against U`; where several variables move at once ` along X=U,Y=V`.
    fn behind(&self) -> String {
        match &self.direction {
            Direction::Along { moves, .. } if self.kind == AskKind::HessianAlong && moves.len() > 1 => {
                let parts: Vec<String> = moves.iter().map(|moved| format!("{}={}", moved.name, moved.text)).collect();
                format!(" along {}", parts.join(","))
            }
            Direction::Along { moves, .. } => {
                let parts: Vec<&str> = moves.iter().map(|moved| moved.text.as_str()).collect();
                format!(" along {}", parts.join(","))
            }
            direction => direction.in_words(),
        }
    }
}
