"""Reads lines of requests in hexadecimal, each what one connection carried, and says what h11 takes them for: a line of
`METHOD TARGET LENGTH` between semicolons, and `! REASON` where it refuses the rest."""

import sys

import h11


def read(data):
    found, length, begun = [], 0, None
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(data)
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                begun, length = event, 0
            elif isinstance(event, h11.Data):
                length += len(event.data)
            elif isinstance(event, h11.EndOfMessage):
                method, target = begun.method.decode("latin-1"), begun.target.decode("latin-1")
                found.append(f"{method} {target} {length}")
                answer = h11.Response(status_code=200, headers=[("Content-Length", "0")])
                connection.send(answer)
                connection.send(h11.EndOfMessage())
                if connection.our_state is h11.MUST_CLOSE:
                    break
                connection.start_next_cycle()
            else:
                break
    except h11.RemoteProtocolError as error:
        found.append(f"! {error}")
    return ";".join(found)


sys.stdout.reconfigure(encoding="latin-1")
for line in sys.stdin:
    print(read(bytes.fromhex(line)))
