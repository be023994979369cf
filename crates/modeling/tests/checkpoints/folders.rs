//! The folders of tests/reference/checkpoints.json, built as checkpoints.py builds them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};

/// Shape and values of each tensor.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn in_tenths(tensors: &Value) -> Tensors {
    let tensors: BTreeMap<String, (Vec<usize>, Vec<i16>)> =
        serde_json::from_value(tensors.clone()).unwrap();
    let value = |tenths: i16| f32::from(tenths) / 10.0;
    let tensors = tensors.into_iter();
    tensors
        .map(|(name, (shape, tenths))| (name, (shape, tenths.into_iter().map(value).collect())))
        .collect()
}

fn read_tensors(path: &Path) -> Tensors {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.iter()
        .map(|(name, view)| {
            let (values, _) = view.data().as_chunks();
            let values = values.iter().copied().map(f32::from_le_bytes);
            (name.to_owned(), (view.shape().to_vec(), values.collect()))
        })
        .collect()
}

fn write_tensors(path: &Path, tensors: &Tensors, dtype: Dtype) {
    let bytes = |values: &[f32]| -> Vec<u8> {
        let values = values.iter().copied();
        match dtype {
            Dtype::F16 => values
                .flat_map(|x| f16::from_f32(x).to_le_bytes())
                .collect(),
            Dtype::BF16 => values
                .flat_map(|x| bf16::from_f32(x).to_le_bytes())
                .collect(),
            Dtype::F64 => values.flat_map(|x| f64::from(x).to_le_bytes()).collect(),
            // Whatever they stand for, they are refused.
            Dtype::F8_E4M3 => values.map(|x| x as u8).collect(),
            _ => values.flat_map(f32::to_le_bytes).collect(),
        }
    };
    let all: Vec<(&String, &Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, values))| (name, shape, bytes(values)))
        .collect();
    let views = all.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(dtype, shape.to_vec(), bytes).unwrap();
        (name, view)
    });
    safetensors::serialize_to_file(views, None, path).unwrap();
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn read_json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Sets or removes what these keys lead to.
fn change(value: &mut Value, keys: &[Value], new: Option<&Value>) {
    let [path @ .., last] = keys else {
        *value = new.unwrap().clone();
        return;
    };
    let place = path.iter().fold(value, |place, key| match key.as_u64() {
        Some(index) => &mut place[index as usize],
        None => &mut place[key.as_str().unwrap()],
    });
    match (last.as_u64(), new) {
        (Some(index), Some(new)) => place[index as usize] = new.clone(),
        (Some(index), None) => drop(place.as_array_mut().unwrap().remove(index as usize)),
        (None, Some(new)) => place[last.as_str().unwrap()] = new.clone(),
        (None, None) => drop(
            place
                .as_object_mut()
                .unwrap()
                .remove(last.as_str().unwrap()),
        ),
    }
}

/// A list of lists of a variation.
fn rows<'v>(variation: &'v Value, key: &str) -> impl Iterator<Item = &'v Vec<Value>> {
    let rows = variation[key].as_array().into_iter().flatten();
    rows.map(|row| row.as_array().unwrap())
}

fn fields<'v>(variation: &'v Value, key: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    variation[key].as_object().into_iter().flatten()
}

fn edit(folder: &Path, row: &[Value], new: Option<&Value>) {
    let path = folder.join(row[0].as_str().unwrap());
    let mut value = match path.is_file() {
        true => read_json(&path),
        false => json!({}),
    };
    change(&mut value, row[1].as_array().unwrap(), new);
    write(&path, &value.to_string());
}

/// Writes the folder of a variation.
pub fn build(folder: &Path, base: &Value, variation: &Value) {
    for (name, content) in base["files"].as_object().unwrap() {
        write(&folder.join(name), &content.to_string());
    }
    let weights = folder.join("model.safetensors");
    write_tensors(&weights, &in_tenths(&base["weights"]), Dtype::F32);

    rows(variation, "set").for_each(|row| edit(folder, row, Some(&row[2])));
    rows(variation, "remove").for_each(|row| edit(folder, row, None));
    for (name, text) in fields(variation, "write") {
        write(&folder.join(name), text.as_str().unwrap());
    }
    for (name, tensors) in fields(variation, "tensors") {
        write_tensors(&folder.join(name), &in_tenths(tensors), Dtype::F32);
    }
    for row in rows(variation, "rename") {
        let [file, old, new] = [0, 1, 2].map(|n| row[n].as_str().unwrap());
        let path = folder.join(file);
        let renamed = read_tensors(&path).into_iter().map(|(name, tensor)| {
            let renamed = match old {
                "" => format!("{new}{name}"),
                old => name.replace(old, new),
            };
            (renamed, tensor)
        });
        write_tensors(&path, &renamed.collect(), Dtype::F32);
    }
    for (name, dtype) in fields(variation, "types") {
        let dtype: Dtype = serde_json::from_value(dtype.clone()).unwrap();
        let path = folder.join(name);
        write_tensors(&path, &read_tensors(&path), dtype);
    }
    if variation["vocabulary"] == true {
        write_vocabulary(folder);
    }
    if variation["shards"] == true {
        write_shards(folder);
    }
    for name in variation["delete"].as_array().into_iter().flatten() {
        fs::remove_file(folder.join(name.as_str().unwrap())).unwrap();
    }
    for row in rows(variation, "move") {
        let [old, new] = [0, 1].map(|n| folder.join(row[n].as_str().unwrap()));
        fs::create_dir_all(new.parent().unwrap()).unwrap();
        fs::rename(old, new).unwrap();
    }
}

/// The files of a tokenizer from before `tokenizer.json`.
fn write_vocabulary(folder: &Path) {
    let path = folder.join("tokenizer.json");
    let model = &read_json(&path)["model"];
    let vocabulary: BTreeMap<String, u32> = serde_json::from_value(model["vocab"].clone()).unwrap();
    if model["type"] == "WordPiece" {
        let mut words: Vec<(&String, &u32)> = vocabulary.iter().collect();
        words.sort_by_key(|(_, id)| **id);
        let lines: String = words.iter().map(|(word, _)| format!("{word}\n")).collect();
        write(&folder.join("vocab.txt"), &lines);
    } else {
        write(&folder.join("vocab.json"), &model["vocab"].to_string());
        let merges = model["merges"].as_array().unwrap().iter();
        let merges = merges.map(|merge| match merge.as_str() {
            Some(merge) => format!("{merge}\n"),
            None => format!(
                "{} {}\n",
                merge[0].as_str().unwrap(),
                merge[1].as_str().unwrap()
            ),
        });
        let merges: String = merges.collect();
        write(
            &folder.join("merges.txt"),
            &format!("#version: 0.2\n{merges}"),
        );
    }
    fs::remove_file(path).unwrap();
}

fn write_shards(folder: &Path) {
    let path = folder.join("model.safetensors");
    let mut halves = [Tensors::new(), Tensors::new()];
    let mut map = Map::new();
    let files = ["a.safetensors", "b.safetensors"];
    for (n, (name, tensor)) in read_tensors(&path).into_iter().enumerate() {
        map.insert(name.clone(), files[n % 2].into());
        halves[n % 2].insert(name, tensor);
    }
    for (file, half) in files.iter().zip(&halves) {
        write_tensors(&folder.join(file), half, Dtype::F32);
    }
    let index = json!({"metadata": {}, "weight_map": map});
    write(
        &folder.join("model.safetensors.index.json"),
        &index.to_string(),
    );
    fs::remove_file(path).unwrap();
}
