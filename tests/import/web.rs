//! A council's web service on this machine.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::mpsc::{self, Receiver},
    thread,
};

use crate::desk;

/// A web service that answers by path and question, and tells what it was asked. No answer: 404.
pub fn service(answer: impl Fn(&str) -> String + Send + 'static) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/democracy", listener.local_addr().expect("an address"));
    let (asked, questions) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a caller");
            let mut bytes = [0; 4096];
            let length = stream.read(&mut bytes).expect("a question");
            let line = String::from_utf8_lossy(&bytes[..length]).lines().next().unwrap_or_default().to_owned();
            let path = line.split(' ').nth(1).unwrap_or_default();
            let body = answer(path.strip_prefix("/democracy/mgWebService.asmx/").unwrap_or_default());
            let status = if body.is_empty() { "404 Not Found" } else { "200 OK" };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _nobody = asked.send(path.to_owned());
            // Who has read enough may go.
            let _gone = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        }
    });
    (address, questions)
}

/// One that gives the saved answers.
pub fn samples() -> (String, Receiver<String>) {
    service(|question| {
        let file = match question {
            "GetCouncillorsByWard" => "councillors.xml",
            "GetCommittees" => "committees.xml",
            "GetMeeting?lMeetingId=5001" => "meeting_5001.xml",
            "GetMeeting?lMeetingId=5002" => "meeting_5002.xml",
            other if other.starts_with("GetMeetings?lCommitteeId=144&") => "meetings.xml",
            other if other.starts_with("GetMeetings?lCommitteeId=150&") => {
                return "<getmeetings></getmeetings>".to_owned();
            }
            _ => return String::new(),
        };
        std::fs::read_to_string(desk::samples().join("moderngov").join(file)).unwrap_or_default()
    })
}
