use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// What an endpoint sends back.
#[derive(Clone)]
pub enum Reply {
    /// An answer of a model.
    Text(String),
    /// An answer that reached its greatest length.
    CutText(String),
    /// A status, headers in lines, and a body.
    Status(u16, &'static str, String),
    /// Half of an answer, and the connection's end.
    HalfOf(String),
    /// Nothing for so long, then an answer.
    After(Duration, String),
}

/// A request that came.
#[derive(Clone)]
pub struct Request {
    /// Its path.
    pub path: String,
    /// What it said under `Authorization`.
    pub authorization: Option<String>,
    /// Its body.
    pub body: Value,
}

impl Request {
    /// Returns what it asks at last.
    ///
    /// # Panics
    /// If it asks nothing.
    pub fn asks(&self) -> &str {
        let messages = self.body["messages"].as_array();
        let last = messages.and_then(|messages| messages.last());
        last.and_then(|message| message["content"].as_str())
            .expect("a message")
    }
}

/// An endpoint of OpenAI's chat form on this machine, which answers by a script.
pub struct Chat {
    /// Its address.
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Chat {
    /// Answers until the test ends; `reply` is given the number of the request, from 0.
    ///
    /// # Panics
    /// If no port can be had.
    pub fn serve(reply: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (reply, seen) = (Arc::new(reply), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (reply, seen) = (Arc::clone(&reply), Arc::clone(&seen));
                thread::spawn(move || {
                    let request = read(&stream)?;
                    let number = {
                        let mut seen = seen.lock().expect("no panic");
                        seen.push(request.clone());
                        seen.len() - 1
                    };
                    // A client that hangs up is none of our business.
                    send(stream, reply(number, &request))
                });
            }
        });
        Self {
            url: format!("http://{address}/v1"),
            requests,
        }
    }

    /// Returns what came since the last call.
    ///
    /// # Panics
    /// If the server has panicked.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.requests.lock().expect("the server lives"))
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut authorization) = (0, None);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            break;
        };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "authorization" => authorization = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Request {
        path,
        authorization,
        body: serde_json::from_slice(&body)?,
    })
}

fn send(mut stream: TcpStream, reply: Reply) -> std::io::Result<()> {
    let completion = |text: &str, finish: &str| {
        let body = json!({
            "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}],
            "usage": {"prompt_tokens": 50, "completion_tokens": 10},
        });
        body.to_string()
    };
    let (status, headers, body, sent) = match reply {
        Reply::Text(text) => (200, "", completion(&text, "stop"), 1.0),
        Reply::CutText(text) => (200, "", completion(&text, "length"), 1.0),
        Reply::HalfOf(text) => (200, "", completion(&text, "stop"), 0.5),
        Reply::Status(status, headers, body) => (status, headers, body, 1.0),
        Reply::After(time, text) => {
            thread::sleep(time);
            (200, "", completion(&text, "stop"), 1.0)
        }
    };
    let head = format!(
        "HTTP/1.1 {status} Reason\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    let sent = (body.len() as f64 * sent) as usize;
    stream.write_all(&body.as_bytes()[..sent])
}
