//! What can be typed at the prompt besides messages.

use tokio_tungstenite::tungstenite::Message;

use crate::close::Close;
use crate::face::Input;

const HELP: &str = "\
/ping                   send a ping, and say how long the pong took
/close [CODE [REASON]]  close the connection, with 1000 unless told otherwise
/help                   show this
//...                   send a message that starts with a slash
Ctrl-D or Ctrl-C        close with 1000; Ctrl-C again leaves without an answer
Anything else is sent as a message.";

/// What a typed line asks for, or what to tell the person at once.
pub(crate) fn command(line: &str, binary: bool) -> Result<Input, String> {
    let message = |text: &str| {
        let text = text.to_owned();
        Input::Send(if binary { Message::binary(text) } else { Message::text(text) })
    };
    let Some(command) = line.strip_prefix('/') else {
        return Ok(message(line));
    };
    if command.starts_with('/') {
        return Ok(message(command));
    }
    let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
    let rest = rest.trim();
    match name {
        "ping" => Ok(Input::Ping),
        "close" if rest.is_empty() => Ok(Input::Close(Close::new(Close::NORMAL, ""))),
        "close" => {
            let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            match Close::typed(code, reason.trim_start()) {
                Ok(close) => Ok(Input::Close(close)),
                Err(error) => Err(format!("Not closed: {error}.")),
            }
        }
        "help" => Err(HELP.to_owned()),
        _ => Err(format!("No such command: /{name}. Try /help, or //{name} to send /{name}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(what: &str) -> Result<Input, String> {
        Ok(Input::Send(Message::text(what)))
    }

    #[test]
    fn a_line_is_a_message_unless_it_starts_with_a_slash() {
        assert_eq!(command("hello / there", false), text("hello / there"));
        assert_eq!(command("", false), text(""));
        assert_eq!(command("//ping", false), text("/ping"));
        assert_eq!(command("hi", true), Ok(Input::Send(Message::binary("hi"))));
        assert_eq!(command("/ping", false), Ok(Input::Ping));
    }

    #[test]
    fn close_takes_a_code_and_a_reason() {
        let close = |code, reason: &str| Ok(Input::Close(Close::new(code, reason)));
        assert_eq!(command("/close", false), close(1000, ""));
        assert_eq!(command("/close 4001", false), close(4001, ""));
        assert_eq!(command("/close 4001 see you later ", false), close(4001, "see you later"));
        let refused = command("/close 1006", false).unwrap_err();
        assert!(refused.contains("1006 cannot be sent"), "{refused}");
    }

    #[test]
    fn a_wrong_command_says_what_to_do() {
        let answer = command("/etc/passwd x", false).unwrap_err();
        assert_eq!(
            answer,
            "No such command: /etc/passwd. Try /help, or //etc/passwd to send /etc/passwd."
        );
        assert!(command("/help", false).unwrap_err().contains("/close [CODE [REASON]]"));
    }
}
