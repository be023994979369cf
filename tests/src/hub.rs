use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

/// The commit of everything it serves.
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A Hugging Face Hub on this machine, which serves folders as models the way the real one does:
/// an index of files by revision, and files with ETag, commit and ranges, weights by a redirect.
pub struct Hub {
    endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
}

struct Shelf {
    endpoint: String,
    models: HashMap<String, PathBuf>,
    requests: Arc<Mutex<Vec<String>>>,
    /// Breaks off the first transfer of weights in the middle.
    cut: Mutex<bool>,
}

impl Hub {
    /// Serves `folder` as the model `id`, until the test ends.
    ///
    /// # Panics
    /// If no port can be had.
    pub fn serve(id: &str, folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let endpoint = format!("http://{address}");
        let requests = Arc::default();
        let shelf = Arc::new(Shelf {
            endpoint: endpoint.clone(),
            models: HashMap::from([(id.to_owned(), folder.to_owned())]),
            requests: Arc::clone(&requests),
            cut: Mutex::new(true),
        });
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shelf = Arc::clone(&shelf);
                // A client that hangs up is none of our business.
                thread::spawn(move || shelf.answer(stream).ok());
            }
        });
        Self { endpoint, requests }
    }

    /// Sets the environment of a program that is to use this Hub, with its cache in `dir/home`.
    pub fn is_used_by<'a>(&self, dir: &Path, command: &'a mut Command) -> &'a mut Command {
        command
            .env("HF_ENDPOINT", &self.endpoint)
            .env("HF_HOME", dir.join("home"))
            .env_remove("HF_HUB_CACHE")
            .env_remove("HF_HUB_OFFLINE")
    }

    /// Returns what was asked for since the last call.
    ///
    /// # Panics
    /// If the server has panicked.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().expect("the server lives"))
    }
}

impl Shelf {
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let request = lines.next().unwrap_or(Ok(String::new()))?;
        let mut start = 0;
        let mut end = None;
        for line in lines {
            let line = line?.to_lowercase();
            if let Some((from, to)) = line
                .strip_prefix("range: bytes=")
                .and_then(|range| range.split_once('-'))
            {
                (start, end) = (from.parse().unwrap_or(0), to.parse::<usize>().ok());
            }
            if line.is_empty() {
                break;
            }
        }
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        self.requests.lock().expect("no panic").push(path.clone());
        for (id, folder) in &self.models {
            if path == format!("/api/models/{id}/revision/main") {
                return respond(&mut stream, "200 OK", "", index(folder).as_bytes());
            }
            let Some(name) = path.strip_prefix(&format!("/{id}/resolve/{COMMIT}/")) else {
                continue;
            };
            let stored = name.strip_suffix("?stored");
            let Ok(file) = fs::read(folder.join(stored.unwrap_or(name))) else {
                return respond(&mut stream, "404 Not Found", "", b"Entry not found");
            };
            let headers = format!("ETag: \"{name}\"\r\nX-Repo-Commit: {COMMIT}\r\n");
            if name.ends_with(".safetensors") || name.ends_with(".onnx") {
                let headers = format!("{headers}Location: {}{path}?stored\r\n", self.endpoint);
                return respond(&mut stream, "302 Found", &headers, b"");
            }
            let end = end.map_or(file.len(), |end| file.len().min(end + 1));
            let range = format!(
                "Content-Range: bytes {start}-{}/{}\r\n",
                end - 1,
                file.len()
            );
            let body = &file[start..end];
            let mut cut = self.cut.lock().expect("no panic");
            if stored.is_some() && body.len() > 1_000 && std::mem::take(&mut *cut) {
                let head = head("206 Partial Content", &(headers + &range), body.len());
                stream.write_all(head.as_bytes())?;
                return stream.write_all(&body[..body.len() / 2]);
            }
            return respond(
                &mut stream,
                "206 Partial Content",
                &(headers + &range),
                body,
            );
        }
        respond(&mut stream, "404 Not Found", "", b"Repository not found")
    }
}

fn head(status: &str, headers: &str, length: usize) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n")
}

fn respond(
    stream: &mut TcpStream,
    status: &str,
    headers: &str,
    body: &[u8],
) -> std::io::Result<()> {
    stream.write_all(head(status, headers, body.len()).as_bytes())?;
    stream.write_all(body)
}

/// Returns what the Hub says of a model: its commit and files.
fn index(folder: &Path) -> String {
    let mut names = vec!["pytorch_model.bin".to_owned()];
    if !folder.join("README.md").is_file() {
        // Listed, to show who asks for it.
        names.push("README.md".to_owned());
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        match fs::read_dir(entry.path()) {
            Ok(inner) => names.extend(inner.flatten().map(|inner| {
                let inner = inner.file_name();
                format!("{name}/{}", inner.to_string_lossy())
            })),
            Err(_) => names.push(name),
        }
    }
    let files: Vec<_> = names
        .into_iter()
        .map(|name| serde_json::json!({ "rfilename": name }))
        .collect();
    serde_json::json!({"sha": COMMIT, "siblings": files}).to_string()
}
