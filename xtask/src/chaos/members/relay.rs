//! Has what goes to a member and comes from it be late: a relay takes the place of its wire and
//! hands every packet on after a while, in order. Not every kernel can do that by itself.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::process::printed;

/// A relay at work. The wire is as it was once this is dropped.
pub(crate) struct Relay {
    process: Child,
    wire: String,
    bridge: &'static str,
}

/// Hands on what arrives at one of two interfaces to the other, so many milliseconds later. The
/// kernel shows a raw socket what it sent itself as well, which is left out. What is too large for
/// a wire, as several packets that the kernel would cut apart, is left out too: nobody sends such
/// where [`UNMERGED`] was said.
const SCRIPT: &str = "
import collections, select, socket, sys, time
def tap(name):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
    for size in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        wire.setsockopt(socket.SOL_SOCKET, size, 16 << 20)
    wire.bind((name, 0))
    wire.setblocking(False)
    return wire
here, there = tap(sys.argv[1]), tap(sys.argv[2])
late = int(sys.argv[3]) / 1e3
waiting = collections.deque()
print('ready', flush=True)
while True:
    now = time.monotonic()
    while waiting and waiting[0][0] <= now:
        _, wire, packet = waiting.popleft()
        try:
            wire.send(packet)
        except OSError:
            pass
    rest = max(0, waiting[0][0] - now) if waiting else None
    for wire in select.select([here, there], [], [], rest)[0]:
        packet, about = wire.recvfrom(1 << 17)
        if about[2] != socket.PACKET_OUTGOING:
            other = there if wire is here else here
            waiting.append((time.monotonic() + late, other, packet))
";

/// Has the kernel merge no packets on an interface and work out all checksums itself (`ethtool -K`
/// with `tx`, `sg`, `tso` and `gso` off, which not every machine has).
pub(crate) const UNMERGED: &str = "
import array, fcntl, socket, struct, sys
wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for feature in (0x1f, 0x24, 0x19, 0x17):
    value = array.array('B', struct.pack('II', feature, 0))
    words = struct.pack('16sP', sys.argv[1].encode(), value.buffer_info()[0])
    fcntl.ioctl(wire, 0x8946, words)
";

impl Relay {
    /// Takes the place of a member's wire to a bridge: all of it is so much later both ways.
    pub(crate) fn begin(wire: &str, bridge: &'static str, late: Duration) -> Result<Self, String> {
        let (near, far) = (format!("{wire}r"), format!("{wire}q"));
        ip(&format!("link add {near} type veth peer name {far}"))?;
        let mut unmerged = Command::new("python3");
        unmerged.args(["-c", UNMERGED, &far]);
        printed(unmerged)?;
        for end in [&near, wire] {
            ip(&format!("link set {end} up promisc on"))?;
        }
        let mut command = Command::new("python3");
        command.args(["-c", SCRIPT, wire, &near, &late.as_millis().to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let failed = |cause: std::io::Error| format!("python3: {cause}");
        let mut process = command.spawn().map_err(failed)?;
        let said = process.stdout.take().ok_or("python3 says nothing")?;
        let relay = Self { process, wire: wire.to_owned(), bridge };
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line).map_err(failed)?;
        if line.trim() != "ready" {
            return Err("a relay did not begin".to_owned());
        }
        ip(&format!("link set {wire} nomaster"))?;
        ip(&format!("link set {far} master {bridge} up"))?;
        Ok(relay)
    }

    fn end(&mut self) -> Result<(), String> {
        let ended = self.process.kill().and_then(|()| self.process.wait());
        ended.map_err(|cause| format!("a relay was not ended: {cause}"))?;
        ip(&format!("link del {}r", self.wire))?;
        ip(&format!("link set {} master {}", self.wire, self.bridge))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Err(cause) = self.end() {
            eprintln!("{cause}");
        }
    }
}

fn ip(words: &str) -> Result<(), String> {
    let mut command = Command::new("ip");
    command.args(words.split(' '));
    printed(command).map(drop)
}
