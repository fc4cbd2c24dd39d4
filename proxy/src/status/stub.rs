//! nginx's `stub_status`.

use crate::observe::Counts;

/// The connections in nginx's words.
pub(crate) fn stub(counts: &Counts) -> String {
    let Counts { accepted, connections, reading, waiting, requests, .. } = counts;
    let writing = counts.writing();
    // Whoever is accepted here is handled.
    format!(
        "Active connections: {connections} \n\
         server accepts handled requests\n \
         {accepted} {accepted} {requests} \n\
         Reading: {reading} Writing: {writing} Waiting: {waiting} \n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_nginx_own_spaces() {
        let counts = Counts {
            accepted: 7,
            connections: 6,
            reading: 1,
            waiting: 2,
            requests: 31,
            ..Counts::default()
        };
        let nginx = "Active connections: 6 \nserver accepts handled requests\n 7 7 31 \n\
                     Reading: 1 Writing: 3 Waiting: 2 \n";
        assert_eq!(stub(&counts), nginx);
    }
}
