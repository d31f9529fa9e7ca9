//! Jacobians and Hessians at given numbers, as a user asks for them: dense with all axes, compressed, and too large.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use zip::write::SimpleFileOptions;

fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("tensors-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// An archive of arrays of 64-bit floats, written without the program.
fn npz(path: &Path, arrays: &[(&str, &[usize], Vec<f64>)]) {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, shape, entries) in arrays {
        let axes: String = shape.iter().map(|axis| format!("{axis},")).collect();
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({axes}), }}\n");
        archive.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
        archive.write_all(b"\x93NUMPY\x01\x00").unwrap();
        archive.write_all(&u16::try_from(header.len()).unwrap().to_le_bytes()).unwrap();
        archive.write_all(header.as_bytes()).unwrap();
        archive.write_all(&entries.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>()).unwrap();
    }
    std::fs::write(path, archive.finish().unwrap().into_inner()).unwrap();
}

/// Shapes and entries by name, read without the program.
fn arrays(path: &Path) -> BTreeMap<String, (Vec<usize>, Vec<f64>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(std::fs::read(path).unwrap())).unwrap();
    let mut out = BTreeMap::new();
    for i in 0..archive.len() {
        let mut file = archive.by_index(i).unwrap();
        let name = file.name().unwrap().strip_suffix(".npy").unwrap().to_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let header = std::str::from_utf8(&bytes[10..end]).unwrap();
        let shape = header.split(['(', ')']).nth(1).unwrap();
        let shape = shape.split(',').filter_map(|axis| axis.trim().parse().ok()).collect();
        let entries = bytes[end..].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
        out.insert(name, (shape, entries));
    }
    out
}

fn eval(source: &str, data: &Path, out: &Path, more: &[&str]) -> Output {
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let arguments = [&["eval", "-e", source, "--data", data, "--out", out], more].concat();
    Command::new(env!("CARGO_BIN_EXE_matgrad")).args(arguments).output().unwrap()
}

fn counted(n: usize, from: f64) -> Vec<f64> {
    (0..n).map(|i| from + i as f64).collect()
}

#[test]
fn a_jacobian_keeps_all_its_axes() {
    let folder = scratch("dense");
    let (data, out) = (folder.join("in.npz"), folder.join("out.npz"));
    let (a, b) = (counted(6, 1.0), counted(12, -3.0));
    npz(&data, &[("A", &[2, 3], a.clone()), ("X", &[3, 4], counted(12, 0.5)), ("B", &[4, 3], b.clone())]);
    let output = eval("Y = A*X*B; jacobian Y wrt X", &data, &out, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let (shape, entries) = &arrays(&out)["jacobian(Y,X)"];
    assert_eq!(shape, &[2, 3, 3, 4]);
    for (place, &x) in entries.iter().enumerate() {
        let (i, j, k, l) = (place / 36, place / 12 % 3, place / 4 % 3, place % 4);
        assert_eq!(x, a[3 * i + k] * b[3 * l + j], "{i} {j} {k} {l}");
    }
}

#[test]
fn a_compressed_hessian_is_its_factors() {
    let folder = scratch("compressed");
    let (data, out) = (folder.join("in.npz"), folder.join("out.npz"));
    let v = counted(6, 1.0);
    npz(&data, &[("U", &[4, 2], counted(8, 0.0)), ("V", &[3, 2], v.clone()), ("A", &[4, 3], counted(12, 2.0))]);
    let source = "f = normsq(U*V' - A); hessian f wrt U";
    assert_eq!(eval(source, &data, &out, &["--compressed"]).status.code(), Some(0));
    let found = arrays(&out);
    let key = "hessian(f,U,U)";
    assert_eq!(found[&format!("{key}/output/ijkl")], (vec![4], vec![4.0, 2.0, 4.0, 2.0]));
    assert_eq!(found[&format!("{key}/1/delta/ik")], (vec![], vec![4.0]));
    let coefficient = found[&format!("{key}/1/coefficient")].1[0];
    let (shape, gram) = &found[&format!("{key}/1/1/jl")];
    assert_eq!(shape, &[2, 2]);
    for (place, &x) in gram.iter().enumerate() {
        let expected: f64 = (0..3).map(|a| v[2 * a + place / 2] * v[2 * a + place % 2]).sum();
        assert_eq!(coefficient * x, 2.0 * expected);
    }
    assert!(!found.contains_key(key) && !found.contains_key(&format!("{key}/2/coefficient")));
}

#[test]
fn a_result_beyond_memory_is_refused_with_its_size() {
    let folder = scratch("large");
    let (data, out) = (folder.join("in.npz"), folder.join("out.npz"));
    // 1,000,000² numbers of eight bytes.
    npz(&data, &[("x", &[1_000_000], vec![1.0; 1_000_000])]);
    let source = "f = sum(x.^3); hessian f wrt x";
    let output = eval(source, &data, &out, &[]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    for part in ["`hessian(f,x,x)`", "1000000 x 1000000", "8.0 TB", "--compressed"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!out.exists());
    assert_eq!(eval(source, &data, &out, &["--compressed"]).status.code(), Some(0));
    assert_eq!(arrays(&out)["hessian(f,x,x)/1/1/i"].0, [1_000_000]);
}
