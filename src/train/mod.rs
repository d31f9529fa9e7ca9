//! A two-layer network trained by its derived gradients. Samples and options come in; parameters, a history and scores go
//! out. The network is a program of the language: its loss and gradients are what [`crate::answer`] derives and
//! [`crate::eval`] computes, so no gradient is written by hand here. Nothing is printed, and no clock, file or global
//! random state is read: the same options give the same parameters.
//!
//! ```
//! use matgrad::derivation::Detail;
//! use matgrad::train::{Activation, Network, Options, digits, train};
//!
//! let network = Network::derive(Activation::Relu, Detail::None).unwrap();
//! let samples = digits::training().first(300);
//! let options = Options { hidden: 16, epochs: 3, ..Options::default() };
//! let trained = train(&network, &samples, &options, &mut |_| ()).unwrap();
//! let accuracy = trained.model.accuracy(&digits::test()).unwrap();
//! assert!(accuracy > 0.6);
//! ```

pub mod digits;
mod network;
mod options;
mod parameters;
mod random;
mod samples;
mod training;

pub use network::{Activation, Call, Network};
pub use options::Options;
pub use parameters::Parameters;
pub use samples::{Samples, Scaling};
pub use training::{Epoch, Model, Progress, Trained, confusion, train};
