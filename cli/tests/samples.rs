//! Samples in every form that is read, and what is told of files that are broken: through `train`, `predict` and
//! `evaluate`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;

fn matgrad(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_matgrad")).args(arguments).output().unwrap()
}

/// Standard output and standard error of a run that must succeed.
fn both(arguments: &[&str]) -> (String, String) {
    let output = matgrad(arguments);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
    (String::from_utf8(output.stdout).unwrap(), told)
}

fn shown(arguments: &[&str]) -> String {
    both(arguments).0
}

/// Standard error of a run that must fail with this exit code and show no result.
fn error(code: i32, arguments: &[&str]) -> String {
    let output = matgrad(arguments);
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("samples-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A small training on a path, its model saved.
fn train(data: &Path, model: &Path, more: &[&str]) -> String {
    let base = ["train", "--data", text(data), "--save", text(model), "--hidden", "6", "--epochs", "8"];
    let rest = ["--batch-size", "8", "--learning-rate", "0.1", "--validation", "0.2"];
    shown(&[&base[..], &rest, more].concat())
}

/// What is wrong with samples to train on.
fn refused(data: &Path, more: &[&str]) -> String {
    error(2, &[&["train", "--data", text(data)], more].concat())
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Images of a bright bar in the column of their class, 4×3 pixels: 60 of them, and their classes.
fn bars() -> (Vec<u8>, Vec<u8>) {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for sample in 0..60_u32 {
        let label = (sample * 7 % 3) as u8;
        for row in 0..4 {
            for column in 0..3 {
                let noise = (sample * 31 + row * 17 + column * 7) % 40;
                pixels.push(if column == u32::from(label) { 200 + noise as u8 } else { noise as u8 });
            }
        }
        labels.push(label);
    }
    (pixels, labels)
}

fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, 8, u8::try_from(shape.len()).unwrap()];
    shape.iter().for_each(|axis| out.extend(axis.to_be_bytes()));
    out.extend(bytes);
    out
}

fn npy(kind: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    out.extend(header.as_bytes());
    out.extend(data);
    out
}

fn png(path: &Path, width: u32, height: u32, colour: png::ColorType, pixels: &[u8]) {
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), width, height);
    encoder.set_color(colour);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
}

const IRIS: &str = "width,length,species\n1.5,0.2,setosa\n2.0,0.1,setosa\n5.5,3.2,\"large, blue\"\n6.0,3.0,\"large, blue\"\n\
                    9.5,0.5,virginica\n9.0,0.4,virginica\n";

fn iris() -> String {
    let (header, rows) = IRIS.split_once('\n').unwrap();
    format!("{header}\n{}", rows.repeat(5))
}

#[test]
fn a_table_with_a_header_and_names_for_labels() {
    let folder = scratch("table");
    let (data, model) = (folder.join("iris.csv"), folder.join("iris.safetensors"));
    fs::write(&data, iris()).unwrap();
    let told = train(&data, &model, &["--epochs=40"]);
    assert!(told.contains("30 samples of 2 features, 3 classes (column `species`)"), "{told}");
    assert!(told.contains("training   accuracy 100.00 %"), "{told}");
}

#[test]
fn predictions_come_in_every_form() {
    let folder = scratch("forms");
    let (data, model) = (folder.join("iris.csv"), folder.join("iris.safetensors"));
    fs::write(&data, iris()).unwrap();
    train(&data, &model, &["--epochs=40"]);
    let new = folder.join("new.csv");
    fs::write(&new, "length;place;width\n0.15;1;1.7\n0.5;2;9.4\n3.1;3;5.8\n").unwrap();
    let predict = |more: &[&str]| both(&[&["predict", "--model", text(&model), "--data", text(&new)], more].concat());
    let (labels, told) = predict(&[]);
    assert_eq!(labels, "setosa\nvirginica\n\"large, blue\"\n");
    assert_eq!(told, "note: the model does not use the columns `place`\n");
    let (table, _) = predict(&["--probabilities"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!((lines[0], lines.len()), ("label,\"large, blue\",setosa,virginica", 4));
    let row: Vec<f64> = lines[1].split(',').skip(1).map(|cell| cell.parse().unwrap()).collect();
    assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12 && row[1] > 0.5, "{row:?}");
    let (scores, _) = predict(&["--scores"]);
    assert!(scores.lines().nth(2).unwrap().starts_with("virginica,"), "{scores}");
    for (name, start) in [("out.csv", &b"setosa\n"[..]), ("out.npy", b"\x93NUMPY"), ("out.npz", b"PK\x03\x04")] {
        let out = folder.join(name);
        let (nothing, _) = predict(&["--out", text(&out)]);
        assert!(nothing.is_empty());
        assert!(fs::read(&out).unwrap().starts_with(start), "{name}");
    }
    let ending = error(2, &["predict", "--model", text(&model), "--data", text(&new), "--out", "x.png"]);
    assert!(ending.starts_with("error: `x.png` ends in none of .csv, .npy, .npz and .safetensors"), "{ending}");
    // With labels it tells how many are right.
    let (_, told) = both(&["predict", "--model", text(&model), "--data", text(&data)]);
    assert_eq!(told, "accuracy 100.00 % of 30 samples\n");
    let missing = folder.join("missing.csv");
    fs::write(&missing, "length,height\n1,2\n").unwrap();
    let told = error(2, &["predict", "--model", text(&model), "--data", text(&missing)]);
    assert_eq!(told, format!("error: `{}`: there is no column `width`, which the model needs\n", missing.display()));
    let wide = folder.join("wide.csv");
    fs::write(&wide, "1,2,3,4\n").unwrap();
    let told = error(2, &["predict", "--model", text(&model), "--data", text(&wide)]);
    assert_eq!(told, format!("error: `{}`: there are 4 columns; the model takes 2\n", wide.display()));
    let plain = folder.join("plain.csv");
    fs::write(&plain, "1.7,0.15\n9.4,0.5\n").unwrap();
    assert_eq!(shown(&["predict", "--model", text(&model), "--data", text(&plain)]), "setosa\nvirginica\n");
    let digits = error(2, &["predict", "--model", text(&model)]);
    assert!(digits.starts_with("error: name the samples with --data: the model is not for the digits"), "{digits}");
}

#[test]
fn an_evaluation_counts_each_class() {
    let folder = scratch("evaluation");
    let (data, model) = (folder.join("iris.csv"), folder.join("iris.safetensors"));
    fs::write(&data, iris()).unwrap();
    train(&data, &model, &["--epochs=40"]);
    // Two of four virginicas are told as setosas here, and one setosa as large.
    let test = folder.join("test.csv");
    fs::write(
        &test,
        "width,length,species\n9.2,0.4,virginica\n9.4,0.5,virginica\n1.6,0.2,virginica\n1.7,0.2,virginica\n\
                      5.6,3.1,setosa\n1.8,0.1,setosa\n",
    )
    .unwrap();
    let told = shown(&["evaluate", "--model", text(&model), "--data", text(&test)]);
    for line in [
        "6 samples\naccuracy 50.00 %\n",
        "large, blue      0.0 %       –        0\n",
        "setosa          33.3 %  50.0 %        2\n",
        "virginica      100.0 %  50.0 %        4\n",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let json = shown(&["evaluate", "--model", text(&model), "--data", text(&test), "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["accuracy"].as_f64(), json["samples"].as_u64()), (Some(0.5), Some(6)));
    assert_eq!(json["confusion"], serde_json::json!([[0, 0, 0], [1, 1, 0], [0, 2, 2]]));
    assert_eq!(json["classes"][0]["recall"], serde_json::Value::Null);
    let other = folder.join("other.csv");
    fs::write(&other, "width,length,species\n9.2,0.4,virginica\n1,1,rosa\n").unwrap();
    let told = error(2, &["evaluate", "--model", text(&model), "--data", text(&other)]);
    let expected =
        format!("error: `{}`, line 3: the label `rosa` is none of large, blue, setosa, virginica\n", other.display());
    assert_eq!(told, expected);
    let bare = folder.join("bare.csv");
    fs::write(&bare, "width,length\n9.2,0.4\n").unwrap();
    let told = error(2, &["evaluate", "--model", text(&model), "--data", text(&bare)]);
    assert_eq!(told, format!("error: `{}` has no column of labels\n", bare.display()));
}

#[test]
fn tables_without_names_and_with_other_separators() {
    let folder = scratch("plain");
    let model = folder.join("m.safetensors");
    let rows = |separator: &str| -> String {
        (0..24).map(|i| format!("{}{separator}{}{separator}{}\n", i % 3 + 4, i % 2, 10 * (i % 3) + i % 2)).collect()
    };
    for (name, separator) in [("a.csv", ","), ("b.csv", ";"), ("c.tsv", "\t")] {
        let data = folder.join(name);
        fs::write(&data, rows(separator)).unwrap();
        // The label is the first column here, by its number; integers are in the order of their numbers.
        let told = train(&data, &model, &["--label", "1"]);
        assert!(told.contains("24 samples of 2 features, 3 classes (column `1`)"), "{name}: {told}");
        let bytes = fs::read(&model).unwrap();
        let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(metadata.metadata().as_ref().unwrap()["labels"], "[\"4\",\"5\",\"6\"]");
    }
    let zipped = folder.join("d.csv.gz");
    fs::write(&zipped, gzipped(rows(",").as_bytes())).unwrap();
    assert!(train(&zipped, &model, &[]).contains("6 classes (column `3`)"));
    // A header of numbers is one where the label's name stands over a number.
    let numbered = folder.join("e.csv");
    fs::write(&numbered, format!("\u{feff}label,0,1\n{}", rows(","))).unwrap();
    assert!(train(&numbered, &model, &[]).contains("24 samples of 2 features, 3 classes (column `label`)"));
    // One line without names is a sample, and no header.
    let test = folder.join("f.csv");
    fs::write(&test, "5,1,11\n").unwrap();
    let told = train(&numbered, &model, &["--test", text(&test)]);
    assert!(told.contains("of 1 samples"), "{told}");
}

#[test]
fn a_wrong_table_is_told_with_line_and_column() {
    let folder = scratch("wrong-table");
    let data = folder.join("t.csv");
    let wrong = |content: &str, expected: &str| {
        fs::write(&data, content).unwrap();
        let told = refused(&data, &[]);
        assert!(told.starts_with(&format!("error: `{}`", data.display())), "{told}");
        assert!(told.contains(expected), "{told}\n{expected}");
    };
    wrong("", ": it is empty\n");
    wrong("a,b,label\n", ": it has a header and no row\n");
    wrong("a,b,label\n1,2,x\n3,4\n", ": line 3 has 2 fields; the header has 3\n");
    wrong("1,2,x\n3,4,y,z\n", ": line 2 has 4 fields; the first has 3\n");
    wrong("a,b,label\n1,2,x\n3,four,y\n", ": line 3, column 2 (`b`): `four` is no number\n");
    wrong("a,b,label\n1,2,x\n\n3,NaN,y\n", ": line 4, column 2 (`b`): `NaN` is no finite number\n");
    wrong("a,b,label\n1,2,x\n,4,y\n", ": line 3, column 1 (`a`): the field is empty\n");
    wrong("a,b,label\n1,2,x\n3,4,\n", ": line 3, column 3: the label is empty\n");
    wrong("a,b,label\n1,2,x\n3,4,x\n", ": all 2 samples have the label `x`; two classes are needed\n");
    wrong("a,a,label\n1,2,x\n", ": two columns have the name `a`\n");
    wrong("label\nx\ny\n", ": there is one column only; features and labels need two at least\n");
    fs::write(&data, b"a,label\n1,x\n2,\xff\n").unwrap();
    assert!(refused(&data, &[]).contains("line 3 is not UTF-8 text"));
    fs::write(&data, "a,b,label\n1,2,x\n3,4,y\n").unwrap();
    let told = refused(&data, &["--label", "kind"]);
    assert!(told.ends_with(": there is no column `kind` of labels; there are a, b, label\n"), "{told}");
    let told = refused(&data, &["--shift", "1"]);
    assert!(told.starts_with("error: the features are no images that could be moved\n"), "{told}");
}

#[test]
fn a_constant_feature_does_no_harm() {
    let folder = scratch("constant");
    let (data, model) = (folder.join("t.csv"), folder.join("m.safetensors"));
    let rows: String = (0..30).map(|i| format!("7,{},{}\n", i % 3, i % 3)).collect();
    fs::write(&data, format!("a,b,label\n{rows}")).unwrap();
    for scale in ["common", "standard", "range"] {
        let told = train(&data, &model, &["--scale", scale, "--epochs=60"]);
        assert!(told.contains("training   accuracy 100.00 %"), "{scale}: {told}");
    }
}

#[test]
fn idx_files_plain_and_gzipped_alone_and_in_a_folder() {
    let folder = scratch("idx");
    let (pixels, labels) = bars();
    let model = folder.join("m.safetensors");
    let (images, classes) = (idx(&[60, 4, 3], &pixels), idx(&[60], &labels));
    let mnist = folder.join("mnist");
    fs::create_dir(&mnist).unwrap();
    fs::write(mnist.join("train-images-idx3-ubyte.gz"), gzipped(&images)).unwrap();
    fs::write(mnist.join("train-labels-idx1-ubyte"), &classes).unwrap();
    fs::write(mnist.join("t10k-images-idx3-ubyte"), idx(&[2, 4, 3], &pixels[..24])).unwrap();
    fs::write(mnist.join("t10k-labels-idx1-ubyte.gz"), gzipped(&idx(&[2], &labels[..2]))).unwrap();
    let told = train(&mnist, &model, &[]);
    assert!(told.contains("60 samples of 12 features, 3 classes"), "{told}");
    assert!(told.contains("test       accuracy 100.00 % of 2 samples"), "{told}");
    let alone = train(&mnist.join("train-images-idx3-ubyte.gz"), &model, &[]);
    assert!(alone.contains("60 samples of 12 features, 3 classes"), "{alone}");
    let predicted = shown(&["predict", "--model", text(&model), "--data", text(&mnist.join("t10k-images-idx3-ubyte"))]);
    assert_eq!(predicted, "0\n1\n");

    let file = folder.join("images.idx");
    let wrong = |bytes: &[u8], expected: &str| {
        fs::write(&file, bytes).unwrap();
        let told = refused(&file, &["--labels", text(&mnist.join("train-labels-idx1-ubyte"))]);
        assert!(told.starts_with(&format!("error: `{}`: ", file.display())), "{told}");
        assert!(told.contains(expected), "{told}");
    };
    wrong(
        &images[..images.len() - 5],
        "it is cut short: 60 rows of 12 numbers need 720 bytes behind byte 16, there are 715",
    );
    wrong(&[&images[..], &[0]].concat(), "there is more behind the last row");
    wrong(&images[..10], "it is cut short within its header of 16 bytes: it has 10");
    wrong(&images[..3], "it is cut short within its first 4 bytes: it has 3");
    wrong(b"\x01\x00\x08\x03 and more", "it begins with 01 00 08 03, not with 00 00, a type and a number of axes");
    wrong(&idx(&[0, 4, 3], &[]), "the features are 0×12: there is nothing to learn from");
    wrong(&idx(&[59, 4, 3], &pixels[12..]), "there are 59 rows of features and 60 labels");
    let whole = gzipped(&images);
    wrong(&whole[..whole.len() / 2], "it is no whole gzip file");
    fs::write(&file, &images).unwrap();
    let told = refused(&file, &[]);
    assert_eq!(told, format!("error: `{}` has no labels; name their file with --labels\n", file.display()));
    fs::remove_file(mnist.join("train-labels-idx1-ubyte")).unwrap();
    assert!(refused(&mnist, &[]).contains("is there, but the labels that belong to it are not"));
}

#[test]
fn numpy_arrays_are_mapped() {
    let folder = scratch("numpy");
    let (pixels, labels) = bars();
    let (x, y, model) = (folder.join("x.npy"), folder.join("y.npy"), folder.join("m.safetensors"));
    fs::write(&x, npy("|u1", "(60, 4, 3)", &pixels)).unwrap();
    fs::write(&y, npy("|u1", "(60,)", &labels)).unwrap();
    let told = train(&x, &model, &["--labels", text(&y)]);
    assert!(told.contains("60 samples of 12 features, 3 classes"), "{told}");
    let of_bytes = fs::read(&model).unwrap();
    // The same numbers in another type and order of bytes give the same weights.
    let floats: Vec<u8> = pixels.iter().flat_map(|&pixel| f32::from(pixel).to_be_bytes()).collect();
    fs::write(&x, npy(">f4", "(60, 12)", &floats)).unwrap();
    train(&x, &model, &["--labels", text(&y)]);
    let of_floats = fs::read(&model).unwrap();
    let weights =
        |bytes: &[u8]| safetensors::SafeTensors::deserialize(bytes).unwrap().tensor("W1").unwrap().data().to_vec();
    assert_eq!(weights(&of_bytes), weights(&of_floats));
    let predicted = shown(&["predict", "--model", text(&model), "--data", text(&x)]);
    assert!(predicted.starts_with("0\n1\n2\n0\n"), "{predicted}");

    let mut broken = floats.clone();
    broken[4 * 30..4 * 31].copy_from_slice(&f32::NAN.to_be_bytes());
    fs::write(&x, npy(">f4", "(60, 12)", &broken)).unwrap();
    let told = refused(&x, &["--labels", text(&y)]);
    assert!(told.contains(": the features have NaN in row 2, column 6\n"), "{told}");
    fs::write(&x, npy(">f4", "(60, 12)", &floats[..floats.len() - 1])).unwrap();
    let told = refused(&x, &["--labels", text(&y)]);
    assert!(told.contains(": it is cut short: 60 rows of 12 numbers need 2880 bytes behind byte "), "{told}");
    fs::write(&x, npy("|u1", "(60, 12)", &pixels)).unwrap();
    fs::write(&y, npy("<f8", "(2,)", &[0.0, 0.5_f64].map(f64::to_le_bytes).concat())).unwrap();
    let told = refused(&x, &["--labels", text(&y)]);
    assert!(told.contains("y.npy`: label 0.5 of the array at 1 is no integer"), "{told}");
}

#[test]
fn arrays_by_name_with_a_test_part() {
    let folder = scratch("named");
    let (model, data) = (folder.join("m.safetensors"), folder.join("d.safetensors"));
    let (pixels, labels) = bars();
    let view = |shape: &[usize], bytes: &'static [u8]| {
        safetensors::tensor::TensorView::new(safetensors::Dtype::U8, shape.to_vec(), bytes).unwrap()
    };
    let (pixels, labels): (&'static [u8], &'static [u8]) = (pixels.leak(), labels.leak());
    let all = [
        ("X", view(&[60, 12], pixels)),
        ("y", view(&[60], labels)),
        ("X_test", view(&[3, 12], &pixels[..36])),
        ("y_test", view(&[3], &labels[..3])),
    ];
    fs::write(&data, safetensors::serialize(all.clone(), None).unwrap()).unwrap();
    let told = train(&data, &model, &[]);
    assert!(told.contains("test       accuracy 100.00 % of 3 samples"), "{told}");
    fs::write(&data, safetensors::serialize(all[..1].to_vec(), None).unwrap()).unwrap();
    assert!(refused(&data, &[]).ends_with("`: there is no array `Y`; the file has `X`\n"));
    fs::write(
        &data,
        safetensors::serialize([("X", view(&[60, 12], pixels)), ("y", view(&[59], &labels[1..]))], None).unwrap(),
    )
    .unwrap();
    assert!(refused(&data, &[]).ends_with("`: there are 60 rows of features and 59 labels\n"));
}

#[test]
fn cifar_batches_of_a_folder() {
    let folder = scratch("cifar");
    let model = folder.join("m.safetensors");
    let batch = |count: u32| -> Vec<u8> {
        (0..count)
            .flat_map(|sample| {
                let label = (sample % 3) as u8;
                let plane = move |channel: u8| vec![if channel == label { 220 } else { (sample % 50) as u8 }; 1024];
                [vec![label], plane(0), plane(1), plane(2)].concat()
            })
            .collect()
    };
    fs::write(folder.join("data_batch_1.bin"), batch(20)).unwrap();
    fs::write(folder.join("data_batch_2.bin"), batch(13)).unwrap();
    fs::write(folder.join("test_batch.bin"), batch(4)).unwrap();
    fs::write(folder.join("batches.meta.txt"), "red\ngreen\nblue\n\n").unwrap();
    let told = train(&folder, &model, &["--learning-rate", "0.001", "--report", text(&folder.join("r.html"))]);
    assert!(told.contains("33 samples of 3072 features, 3 classes"), "{told}");
    assert!(told.contains("test       accuracy 100.00 % of 4 samples"), "{told}");
    assert!(fs::read_to_string(folder.join("r.html")).unwrap().contains("<h2>First weights</h2>"));
    let test = folder.join("test_batch.bin");
    assert_eq!(shown(&["predict", "--model", text(&model), "--data", text(&test)]), "red\ngreen\nblue\nred\n");
    // Whoever tests with the folder tests with its test batch, and hears which batches are not there.
    let (evaluated, notes) = both(&["evaluate", "--model", text(&model), "--data", text(&folder)]);
    assert!(evaluated.contains("\n4 samples\naccuracy 100.00 %\n"), "{evaluated}");
    let missing = "note: 3 of the 5 training batches are missing: data_batch_3, data_batch_4, data_batch_5\n";
    let parts = format!("note: these are the 4 test samples of `{}`; it has 33 to train on too\n", folder.display());
    assert_eq!(notes, format!("{missing}{parts}"));
    fs::write(&test, &batch(4)[..3073 * 2 + 5]).unwrap();
    let told = refused(&folder, &[]);
    assert!(told.contains("it is cut short: after 2 samples of 3073 bytes there are 5 bytes"), "{told}");
    fs::write(&test, [&[77_u8][..], &[0; 3072]].concat()).unwrap();
    assert!(refused(&folder, &[]).contains("the label of sample 0 is 77; CIFAR-10 has 0 to 9"));
}

#[test]
fn cifar_batches_that_are_missing_empty_or_broken() {
    let folder = scratch("cifar-broken");
    let model = folder.join("m.safetensors");
    let batch: Vec<u8> =
        (0..12_u8).flat_map(|i| [vec![i % 2], vec![if i % 2 == 0 { i } else { 200 + i }; 3072]].concat()).collect();
    let (first, fourth, test) =
        (folder.join("data_batch_1.bin"), folder.join("data_batch_4.bin.gz"), folder.join("test_batch.bin"));
    let options = ["train", "--data", text(&folder), "--hidden", "3", "--epochs", "1", "--learning-rate", "0.001"];
    let notes = |more: &[&str]| both(&[&options[..], more].concat()).1;
    fs::write(&first, &batch).unwrap();
    assert!(notes(&[]).contains("note: 4 of the 5 training batches are missing: data_batch_2, data_batch_3, data_b"));
    fs::write(&fourth, gzipped(&batch)).unwrap();
    assert!(
        notes(&[])
            .contains("note: 3 of the 5 training batches are missing: data_batch_2, data_batch_3, data_batch_5\n")
    );
    fs::write(&fourth, &gzipped(&batch)[..40]).unwrap();
    assert!(refused(&folder, &[]).contains("data_batch_4.bin.gz`: it is no whole gzip file: "));
    fs::write(&fourth, gzipped(&batch[..3073 + 3072])).unwrap();
    let told = refused(&folder, &[]);
    let expected = "data_batch_4.bin.gz`: it is cut short: after 1 samples of 3073 bytes there are 3072 bytes\n";
    assert!(told.ends_with(expected), "{told}");
    fs::write(&fourth, b"").unwrap();
    assert!(refused(&folder, &[]).ends_with("data_batch_4.bin.gz`: it is empty\n"));
    fs::remove_file(&fourth).unwrap();
    let mut wrong = batch.clone();
    wrong[3073 * 7] = 10;
    fs::write(&first, &wrong).unwrap();
    let told = refused(&folder, &[]);
    assert!(told.ends_with("data_batch_1.bin`: the label of sample 7 is 10; CIFAR-10 has 0 to 9\n"), "{told}");
    fs::write(&first, batch.chunks(3073).step_by(2).collect::<Vec<_>>().concat()).unwrap();
    assert!(refused(&folder, &[]).contains(": all 6 samples have the label `0`; two classes are needed\n"));
    // One batch alone is a file like any other, and so is a folder with nothing to train on.
    fs::rename(&first, &test).unwrap();
    fs::write(&test, &batch).unwrap();
    let told = notes(&["--save", text(&model)]);
    assert!(told.contains("note: there is no batch to train on; the test batch is taken as any other\n"), "{told}");
    let evaluated = shown(&["evaluate", "--model", text(&model), "--data", text(&folder)]);
    assert!(evaluated.contains("\n12 samples\n"), "{evaluated}");
    fs::write(&test, &batch[..3000]).unwrap();
    let told = error(2, &["predict", "--model", text(&model), "--data", text(&test)]);
    assert!(told.ends_with(": it is cut short: after 0 samples of 3073 bytes there are 3000 bytes\n"), "{told}");
}

#[test]
fn one_class_an_empty_class_and_no_rows_are_told_in_every_form() {
    let folder = scratch("classes");
    let (x, y) = (folder.join("x.npy"), folder.join("y.npy"));
    let (images, labels) = (folder.join("train-images-idx3-ubyte"), folder.join("train-labels-idx1-ubyte"));
    let (pixels, _) = bars();
    let options = ["--hidden", "3", "--epochs", "1"];
    let notes = |data: &Path, more: &[&str]| both(&[&["train", "--data", text(data)], &options[..], more].concat()).1;
    let classes = |labels: &[u8]| labels.repeat(60 / labels.len());
    let one = ": all 60 samples have the label `1`; two classes are needed\n";
    fs::write(&x, npy("|u1", "(60, 12)", &pixels)).unwrap();
    fs::write(&y, npy("|u1", "(60,)", &classes(&[1]))).unwrap();
    assert!(refused(&x, &["--labels", text(&y)]).ends_with(one));
    fs::write(&y, npy("|u1", "(60,)", &classes(&[0, 3]))).unwrap();
    assert!(notes(&x, &["--labels", text(&y)]).contains("note: no sample has the label 1, 2\n"));
    fs::write(&x, npy("|u1", "(0, 12)", &[])).unwrap();
    fs::write(&y, npy("|u1", "(0,)", &[])).unwrap();
    assert!(refused(&x, &["--labels", text(&y)]).contains("the features are 0×12: there is nothing to learn from"));
    fs::write(&images, idx(&[60, 4, 3], &pixels)).unwrap();
    fs::write(&labels, idx(&[60], &classes(&[1]))).unwrap();
    assert!(refused(&folder, &[]).ends_with(one));
    fs::write(&labels, idx(&[60], &classes(&[0, 3]))).unwrap();
    assert!(notes(&folder, &[]).contains("note: no sample has the label 1, 2\n"));
    fs::write(&images, idx(&[0, 4, 3], &[])).unwrap();
    fs::write(&labels, idx(&[0], &[])).unwrap();
    assert!(refused(&folder, &[]).contains("the features are 0×12: there is nothing to learn from"));
    let photos = folder.join("photos");
    fs::create_dir_all(photos.join("cats")).unwrap();
    for i in 0..3_u8 {
        png(&photos.join(format!("cats/{i}.png")), 2, 2, png::ColorType::Grayscale, &[i, 7, 9, 11]);
    }
    assert!(refused(&photos, &[]).ends_with(": all 3 samples have the label `cats`; two classes are needed\n"));
    let table = folder.join("t.csv");
    fs::write(&table, "a,b,label\n").unwrap();
    assert!(refused(&table, &[]).ends_with(": it has a header and no row\n"));
}

#[test]
fn folders_of_images_by_class() {
    let folder = scratch("images");
    let (photos, model) = (folder.join("photos"), folder.join("m.safetensors"));
    let (pixels, labels) = bars();
    let names = ["left", "middle", "right"];
    for part in ["train", "test"] {
        names.iter().for_each(|name| fs::create_dir_all(photos.join(part).join(name)).unwrap());
    }
    for (sample, (pixels, &label)) in pixels.chunks(12).zip(&labels).enumerate() {
        let part = if sample < 48 { "train" } else { "test" };
        let path = photos.join(part).join(names[usize::from(label)]).join(format!("{sample:02}.png"));
        // One of them in colours: all become images of three channels then.
        match sample == 5 {
            true => png(&path, 3, 4, png::ColorType::Rgb, &pixels.iter().flat_map(|&p| [p; 3]).collect::<Vec<_>>()),
            false => png(&path, 3, 4, png::ColorType::Grayscale, pixels),
        }
    }
    let told = train(&photos, &model, &[]);
    assert!(told.contains("48 samples of 36 features, 3 classes"), "{told}");
    assert!(told.contains("test       accuracy 100.00 % of 12 samples"), "{told}");
    let colour = photos.join("train/middle");
    let flat = folder.join("flat");
    fs::create_dir(&flat).unwrap();
    for (name, label) in [("b.png", 2_usize), ("a.png", 0)] {
        let sample = labels.iter().position(|&l| usize::from(l) == label).unwrap();
        let pixels: Vec<u8> = pixels[12 * sample..12 * sample + 12].iter().flat_map(|&p| [p; 3]).collect();
        png(&flat.join(name), 3, 4, png::ColorType::Rgb, &pixels);
    }
    assert_eq!(shown(&["predict", "--model", text(&model), "--data", text(&flat)]), "left\nright\n");

    png(&colour.join("zz.png"), 4, 4, png::ColorType::Grayscale, &[0; 16]);
    let told = refused(&photos, &[]);
    assert!(
        told.contains("zz.png` has 4×4 pixels, but `") && told.contains("has 4×3; all images need one size"),
        "{told}"
    );
    fs::write(colour.join("zz.png"), b"no image").unwrap();
    assert!(refused(&photos, &[]).contains("zz.png`: it is no whole PNG: "));
    fs::rename(colour.join("zz.png"), colour.join("zz.jpg")).unwrap();
    assert!(refused(&photos, &[]).contains("zz.jpg` is no PNG image; others are not read"));
    fs::remove_file(colour.join("zz.jpg")).unwrap();
    fs::create_dir(photos.join("train/none")).unwrap();
    let told = refused(&photos, &[]);
    assert_eq!(told, format!("error: the folder `{}` has no PNG image\n", photos.join("train/none").display()));
    let empty = folder.join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(refused(&empty, &[]).contains("has neither MNIST's nor CIFAR-10's files nor a folder of PNG images"));
    let one = refused(&photos.join("train/left"), &[]);
    assert!(one.contains("has neither MNIST's"), "{one}");
}

#[test]
fn what_is_in_no_known_form_is_told() {
    let folder = scratch("unknown");
    let file = folder.join("data.parquet");
    fs::write(&file, b"PAR1 and more").unwrap();
    let told = refused(&file, &[]);
    assert!(told.starts_with(&format!("error: `{}` is in no form that is read: .csv, .npz", file.display())), "{told}");
    assert!(error(3, &["train", "--data", text(&folder.join("none.csv"))]).starts_with("error: cannot read `"));
    fs::write(folder.join("a.npz"), b"no archive").unwrap();
    assert!(refused(&folder.join("a.npz"), &[]).contains("it is no .npz archive"));
}
