//! Programs trained by their derived gradients. A program, samples and options come in; parameters, a history and scores go
//! out. Any program of the language whose gradients are asked for can be trained; the two-layer network is one of them. Its
//! loss and gradients are what [`crate::answer`] derives, so no gradient is written by hand here. Nothing is printed, and no
//! clock, file or global random state is read: the same options give the same parameters.
//!
//! ```
//! use std::sync::Arc;
//! use matgrad::derivation::Detail;
//! use matgrad::train::{Activation, Objective, Options, digits, train};
//!
//! let network = Arc::new(Objective::two_layer(Activation::Relu, Detail::None).unwrap());
//! let samples = digits::training().first(300);
//! let options = Options { epochs: 3, ..Options::default() }.with("H", 16.0);
//! let trained = train(&network, &samples, &options, &mut |_| ()).unwrap();
//! let accuracy = trained.model.accuracy(&digits::test()).unwrap();
//! assert!(accuracy > 0.6);
//! ```

mod activation;
mod augment;
mod bindings;
pub mod digits;
mod divergence;
mod engine;
mod initial;
mod model;
mod objective;
mod optimiser;
mod options;
mod parameters;
mod random;
mod roles;
mod rounding;
mod rows;
mod samples;
mod scaling;
pub mod space;
mod training;

pub use activation::{Activation, two_layer};
pub use augment::{Augmentation, ImageShape};
pub use bindings::Bindings;
pub use initial::Initialisation;
pub use model::{Confusion, Measured, Model};
pub use objective::{Call, Objective, Target};
pub use optimiser::{Memory, Optimiser};
pub use options::Options;
pub use parameters::Parameters;
pub use roles::{Meaning, Names};
pub use rounding::Rounding;
pub use rows::Rows;
pub use samples::{Batch, Samples, Targets};
pub use scaling::{Scaling, ScalingKind};
pub use training::{Epoch, Progress, State, Trained, Training, train};
