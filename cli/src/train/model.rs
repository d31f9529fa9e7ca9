//! Trained models in files: W1, b1, W2, b2, the scaling of the features as `shift` and `divisor`, and the activation as an
//! entry by its name, `activation_relu`. What does not fit together is an error when it is read.

use std::path::Path;

use matgrad::derivation::Detail;
use matgrad::matrix::Matrix;
use matgrad::train::{Activation, Model, Network, Parameters, Scaling};

use super::data::{find, missing};
use super::wrong;
use crate::arrays::{self, Array, Named, shape_text};
use crate::failure::Failure;

/// What an entry that tells the activation starts with.
const ACTIVATION: &str = "activation_";

/// Writes a model, whole or not at all.
pub fn save(path: &Path, model: &Model) -> Result<(), Failure> {
    arrays::write(path, &arrays_of(model))
}

fn arrays_of(model: &Model) -> Named {
    let scalar = |value| Array { shape: Vec::new(), entries: vec![value] };
    let array = |matrix: &Matrix| Array {
        shape: if matrix.rows() == 1 { vec![matrix.columns()] } else { vec![matrix.rows(), matrix.columns()] },
        entries: matrix.entries().to_vec(),
    };
    let weights = |matrix: &Matrix| Array { shape: vec![matrix.rows(), matrix.columns()], ..array(matrix) };
    let Parameters { w1, b1, w2, b2 } = &model.parameters;
    let arrays = [
        ("W1", weights(w1)),
        ("b1", array(b1)),
        ("W2", weights(w2)),
        ("b2", array(b2)),
        ("shift", array(&model.scaling.shift)),
        ("divisor", scalar(model.scaling.divisor)),
    ];
    let mut arrays: Named = arrays.map(|(name, array)| (name.to_owned(), array)).into();
    arrays.push((format!("{ACTIVATION}{}", model.network.activation().name()), scalar(1.0)));
    arrays
}

/// Reads a model that [`save`] wrote.
pub fn load(path: &Path) -> Result<Model, Failure> {
    let arrays = arrays::read(path)?;
    let (activation, parameters, scaling) =
        parts(&arrays).map_err(|message| Failure::wrong(format!("`{}`: {message}", path.display())))?;
    let network = Network::derive(activation, Detail::None).map_err(|errors| wrong(&errors))?;
    Ok(Model { network, parameters, scaling })
}

fn parts(arrays: &Named) -> Result<(Activation, Parameters, Scaling), String> {
    let array = |name: &str| find(arrays, name).ok_or_else(|| missing(arrays, name));
    let weights = |name: &str| {
        let array = array(name)?;
        match array.shape[..] {
            [rows, columns] => Ok(Matrix::new(rows, columns, array.entries.clone())),
            _ => Err(format!("`{name}` is {}; it must be a matrix", shape_text(&array.shape))),
        }
    };
    let row = |name: &str| {
        let array = array(name)?;
        match array.shape[..] {
            [columns] | [1, columns] => Ok(Matrix::new(1, columns, array.entries.clone())),
            _ => Err(format!("`{name}` is {}; it must be a row", shape_text(&array.shape))),
        }
    };
    let parameters = Parameters { w1: weights("W1")?, b1: row("b1")?, w2: weights("W2")?, b2: row("b2")? };
    let (features, ..) = parameters.sizes().map_err(|error| error.message)?;
    let scaling = Scaling {
        shift: row("shift")?,
        divisor: match array("divisor")?.entries[..] {
            [divisor] if divisor > 0.0 && divisor.is_finite() => divisor,
            _ => return Err("`divisor` must be one positive number".to_owned()),
        },
    };
    if scaling.shift.columns() != features {
        return Err(format!("`shift` has {} entries, but W1 has {features} rows", scaling.shift.columns()));
    }
    let mut named = arrays.iter().filter_map(|(name, _)| name.strip_prefix(ACTIVATION));
    let activation = match (named.next(), named.next()) {
        (Some(name), None) => {
            Activation::named(name).ok_or_else(|| format!("`{ACTIVATION}{name}` is no activation matgrad knows"))?
        }
        _ => return Err("the activation must be told by one entry, such as `activation_relu`".to_owned()),
    };
    Ok((activation, parameters, scaling))
}

#[cfg(test)]
mod tests {
    use super::{arrays_of, parts};
    use crate::arrays::{Array, Named};
    use matgrad::derivation::Detail;
    use matgrad::matrix::Matrix;
    use matgrad::train::{Activation, Model, Network, Parameters, Scaling};

    fn model() -> Model {
        Model {
            network: Network::derive(Activation::Tanh, Detail::None).unwrap(),
            parameters: Parameters::random(3, 5, 2, 1.0, 1.0, 4),
            scaling: Scaling { shift: Matrix::new(1, 3, vec![0.5, -1.0, 2.0]), divisor: 4.0 },
        }
    }

    #[test]
    fn a_saved_model_is_read_back() {
        let model = model();
        let (activation, parameters, scaling) = parts(&arrays_of(&model)).unwrap();
        assert_eq!((activation, parameters, scaling), (Activation::Tanh, model.parameters, model.scaling));
    }

    #[test]
    fn a_model_whose_parts_do_not_fit_is_an_error() {
        let message = |change: &dyn Fn(&mut Named)| {
            let mut arrays = arrays_of(&model());
            change(&mut arrays);
            parts(&arrays).unwrap_err()
        };
        let set = |name: &'static str, shape: &'static [usize]| {
            move |arrays: &mut Named| {
                let array = &mut arrays.iter_mut().find(|(key, _)| key == name).unwrap().1;
                *array = Array { shape: shape.to_vec(), entries: vec![0.0; shape.iter().product()] };
            }
        };
        assert_eq!(message(&set("b1", &[4])), "b1 is 1×4, but the other parameters want 1×5");
        assert_eq!(message(&set("W1", &[3])), "`W1` is of length 3; it must be a matrix");
        assert_eq!(message(&set("b2", &[2, 3])), "`b2` is 2×3; it must be a row");
        assert_eq!(message(&set("shift", &[1, 2])), "`shift` has 2 entries, but W1 has 3 rows");
        assert_eq!(message(&set("divisor", &[])), "`divisor` must be one positive number");
        let renamed = |arrays: &mut Named| arrays.last_mut().unwrap().0 = "activation_sine".to_owned();
        assert_eq!(message(&renamed), "`activation_sine` is no activation matgrad knows");
        let told = "the activation must be told by one entry, such as `activation_relu`";
        assert_eq!(message(&|arrays| drop(arrays.pop())), told);
        assert!(message(&|arrays| arrays.truncate(1)).starts_with("there is no array `b1`; the file has `W1`"));
    }
}
