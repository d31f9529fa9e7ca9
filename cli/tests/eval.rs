//! `matgrad eval` as a user runs it: files of NumPy and of safetensors in and out.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use safetensors::tensor::{Dtype, TensorView};
use zip::write::SimpleFileOptions;

fn matgrad(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_matgrad")).args(arguments).output().unwrap()
}

fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("eval-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Shapes and entries by name.
type Arrays = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

/// An archive of arrays of 64-bit floats, written without the program.
fn npz(path: &Path, arrays: &[(&str, &[usize], &[f64])]) {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, shape, entries) in arrays {
        let axes: String = shape.iter().map(|axis| format!("{axis}, ")).collect();
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({axes}), }}\n");
        let header = header.replace("(, )", "()").replace(", )", ",)");
        archive.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
        archive.write_all(b"\x93NUMPY\x01\x00").unwrap();
        archive.write_all(&u16::try_from(header.len()).unwrap().to_le_bytes()).unwrap();
        archive.write_all(header.as_bytes()).unwrap();
        archive.write_all(&entries.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>()).unwrap();
    }
    std::fs::write(path, archive.finish().unwrap().into_inner()).unwrap();
}

/// An archive read without the program.
fn arrays(path: &Path) -> Arrays {
    let mut archive = zip::ZipArchive::new(Cursor::new(std::fs::read(path).unwrap())).unwrap();
    let mut out = Arrays::new();
    for i in 0..archive.len() {
        let mut file = archive.by_index(i).unwrap();
        let name = file.name().unwrap().strip_suffix(".npy").unwrap().to_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let header = std::str::from_utf8(&bytes[10..end]).unwrap();
        assert!(header.starts_with("{'descr': '<f8', 'fortran_order': False, 'shape': (") && end % 64 == 0, "{header}");
        let shape = header.split(['(', ')']).nth(1).unwrap();
        let shape = shape.split(',').filter_map(|axis| axis.trim().parse().ok()).collect();
        let entries = bytes[end..].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
        out.insert(name, (shape, entries));
    }
    out
}

/// Runs a program on data; the arrays that come out.
fn evaluated(folder: &Path, source: &str, data: &str) -> Arrays {
    let out = folder.join("out.npz");
    let output = matgrad(&["eval", "-e", source, "--data", data, "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
    arrays(&out)
}

/// The message about data that are wrong; nothing is written then.
fn refused(folder: &Path, source: &str, data: &str) -> String {
    let out = folder.join("refused.npz");
    let output = matgrad(&["eval", "-e", source, "--data", data, "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!out.exists());
    String::from_utf8(output.stderr).unwrap()
}

const FIT: &str = "X : matrix(N, D); w : vector(D); y : vector(N); s : scalar\n\
    r = X*w - y\nL = s*(r'*r)\ngrad L wrt w, X, s\ngrad L wrt r";

#[test]
fn arrays_as_numpy_writes_them_are_read() {
    // X in column-major order and 64-bit floats, w in 64-bit integers, y in big-endian 32-bit floats, 2-d, s a 0-d float;
    // deflated. The numbers are NumPy's own.
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/numpy.npz");
    let out = evaluated(&scratch("numpy"), FIT, data);
    assert_eq!(out["L"], (vec![], vec![6.90625]));
    assert_eq!(out["grad(L,w)"], (vec![3], vec![3.875, 4.0, 4.125]));
    assert_eq!(out["grad(L,X)"], (vec![2, 3], vec![-2.5, 5.0, -7.5, 2.75, -5.5, 8.25]));
    assert_eq!(out["grad(L,s)"], (vec![], vec![13.8125]));
    // Some vectors of the data have two axes, so r has two.
    assert_eq!(out["r"], (vec![2, 1], vec![-2.5, 2.75]));
    assert_eq!(out["grad(L,r)"], (vec![2, 1], vec![-2.5, 2.75]));
    assert_eq!(out.len(), 6);
}

#[test]
fn vectors_come_out_as_they_went_in() {
    let folder = scratch("vectors");
    let data = folder.join("in.npz");
    let x = [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5];
    for (flat, w, y, r) in [(true, &[3][..], &[2][..], &[2][..]), (false, &[3, 1], &[2, 1], &[2, 1])] {
        let s: &[usize] = if flat { &[1] } else { &[1, 1] };
        npz(&data, &[("X", &[2, 3], &x), ("w", w, &[1.0, -2.0, 3.0]), ("y", y, &[2.5, 0.25]), ("s", s, &[0.5])]);
        let out = evaluated(&folder, FIT, data.to_str().unwrap());
        assert_eq!(out["grad(L,w)"], (w.to_vec(), vec![3.875, 4.0, 4.125]));
        assert_eq!(out["r"], (r.to_vec(), vec![-2.5, 2.75]));
        assert_eq!(out["L"].0, [0_usize; 0]);
    }
}

#[test]
fn safetensors_go_in_and_out() {
    let folder = scratch("safetensors");
    let bytes = |entries: &[f32]| entries.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let (a, x) = (bytes(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), bytes(&[0.5, -1.0, 2.0, 0.25, 1.5, -3.0]));
    let views = [
        ("A", TensorView::new(Dtype::F32, vec![2, 3], &a).unwrap()),
        ("X", TensorView::new(Dtype::F32, vec![3, 2], &x).unwrap()),
    ];
    let (data, out) = (folder.join("in.safetensors"), folder.join("out.safetensors"));
    std::fs::write(&data, safetensors::serialize(views, None).unwrap()).unwrap();
    let source = "f = tr(A*X); grad f wrt X";
    let output = matgrad(&["eval", "-e", source, "--data", data.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let written = std::fs::read(&out).unwrap();
    let file = safetensors::SafeTensors::deserialize(&written).unwrap();
    let gradient = file.tensor("grad(f,X)").unwrap();
    assert_eq!((gradient.shape(), gradient.dtype()), (&[3, 2][..], Dtype::F64));
    let entries: Vec<f64> =
        gradient.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    assert_eq!(entries, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(file.tensor("f").unwrap().shape(), [0_usize; 0]);
    // What came out goes in again.
    let again = folder.join("again.npz");
    let source = "G : matrix(3, 2); f : scalar; h = f*sum(G); grad h wrt G";
    let renamed = folder.join("renamed.npz");
    npz(&renamed, &[("G", &[3, 2], &entries), ("f", &[], &[2.0])]);
    let output =
        matgrad(&["eval", "-e", source, "--data", renamed.to_str().unwrap(), "--out", again.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(arrays(&again)["h"].1, [42.0]);
}

#[test]
fn a_differential_takes_its_direction_from_the_data() {
    let folder = scratch("differential");
    let data = folder.join("in.npz");
    let source = "F = X*X\ndifferential F wrt X";
    npz(&data, &[("X", &[2, 2], &[1.0, 2.0, 3.0, 4.0]), ("dX", &[2, 2], &[0.0, 1.0, 0.0, 0.0])]);
    let out = evaluated(&folder, source, data.to_str().unwrap());
    assert_eq!(out["differential(F)"], (vec![2, 2], vec![3.0, 5.0, 0.0, 3.0]));
    npz(&data, &[("X", &[2, 2], &[1.0, 2.0, 3.0, 4.0])]);
    let out = folder.join("out.npz");
    let output = matgrad(&["eval", "-e", source, "--data", data.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("`differential(F)` needs the entry `dX`, and is left out")
    );
    assert_eq!(arrays(&out).keys().collect::<Vec<_>>(), ["F"]);
    assert!(refused(&folder, "differential X*X", data.to_str().unwrap()).contains("needs the entry `dX`"));
}

#[test]
fn data_that_do_not_fit_are_told_by_name() {
    let folder = scratch("wrong");
    let data = folder.join("in.npz");
    let path = data.to_str().unwrap();
    npz(&data, &[("A", &[2, 2], &[1.0, 2.0, 0.0, 1.0]), ("x", &[3], &[0.0; 3]), ("Z", &[1], &[0.0])]);
    let text = refused(&folder, "A : symmetric(n); x : vector(n); b : row(n)\nf = b*A*x; grad f wrt x", path);
    assert!(text.contains("`A` is declared symmetric, but A[0, 1] is 2 and A[1, 0] is 0"), "{text}");
    assert!(text.contains("`x`: axis 0 is 3, but `n` is 2 by axis 0 of `A`"), "{text}");
    assert!(text.contains("there is no entry `b`, declared row(n)"), "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
    npz(&data, &[("A", &[2, 2], &[1.0, 1.0, 1.0, 1.0])]);
    let text = refused(&folder, "A : matrix(n, n)\nB = inv(A)\nf = tr(B); grad f wrt A", path);
    assert!(text.contains("`B` has no value"), "{text}");
}

#[test]
fn what_the_program_has_no_use_for_is_noted() {
    let folder = scratch("unused");
    let data = folder.join("in.npz");
    npz(&data, &[("x", &[2], &[1.0, 0.0]), ("weights", &[1], &[0.0])]);
    let out = folder.join("out.npz");
    let source = "f = sum(log(x)); grad f wrt x";
    let output = matgrad(&["eval", "-e", source, "--data", data.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(notes.contains("no use for the entry `weights`"), "{notes}");
    assert!(notes.contains("`f` has entries that are not finite"), "{notes}");
    assert_eq!(arrays(&out)["f"].1, [f64::NEG_INFINITY]);
}

#[test]
fn files_that_are_none_are_told() {
    let folder = scratch("files");
    let out = folder.join("out.npz");
    let out = out.to_str().unwrap();
    let run = |data: &Path, out: &str| {
        let output =
            matgrad(&["eval", "-e", "f = sum(x); grad f wrt x", "--data", data.to_str().unwrap(), "--out", out]);
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = run(&folder.join("none.npz"), out);
    assert!(code == 3 && text.contains("cannot read") && text.contains("none.npz"), "{text}");
    let broken = folder.join("broken.npz");
    std::fs::write(&broken, b"PK\x03\x04 and nothing more").unwrap();
    let (code, text) = run(&broken, out);
    assert!(code == 2 && text.contains("broken.npz") && text.contains("no .npz archive"), "{text}");
    let broken = folder.join("broken.safetensors");
    std::fs::write(&broken, b"{}").unwrap();
    let (code, text) = run(&broken, out);
    assert!(code == 2 && text.contains("no .safetensors file"), "{text}");
    let (code, text) = run(&folder.join("a.csv"), out);
    assert!(code == 2 && text.contains("neither .npz nor .safetensors"), "{text}");
    let good = folder.join("good.npz");
    npz(&good, &[("x", &[2], &[1.0, 2.0])]);
    let (code, text) = run(&good, "out.txt");
    assert!(code == 2 && text.contains("neither .npz nor .safetensors"), "{text}");
    let nowhere = folder.join("no/folder/out.npz");
    let (code, text) = run(&good, nowhere.to_str().unwrap());
    assert!(code == 3 && text.contains("cannot write"), "{text}");
}
