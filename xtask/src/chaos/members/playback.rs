//! What members said to each other in datagrams is recorded on the bridge and sent again: to whom
//! it was for, and to others; and datagrams are made up. Members have to drop and count them.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::land::{BRIDGE, Land, OUTSIDE, address};
use super::resident::Resident;
use crate::door::Door;
use crate::process::printed;

/// What was sent in all playbacks.
#[derive(Debug, Default)]
pub(crate) struct Played {
    pub(crate) times: u64,
    /// Datagrams that were sent once more to whom they were for.
    pub(crate) again: u64,
    /// Those that were sent to another member than the one they were for, or much later.
    pub(crate) elsewhere: u64,
    /// Those that were made up.
    pub(crate) forged: u64,
}

/// Where members speak in datagrams.
const PORT: u16 = 8471;
/// Records what crosses the bridge between the members' ports for some seconds and sends each
/// packet again and again as it was, from the same sender; then what is in it to another member
/// from here, and all that was recorded in earlier calls, whoever has been restarted since; then
/// bytes that mean nothing, and recorded ones of which a bit is flipped. Says of each address how
/// many it was sent.
/// One a millisecond is what a member takes that gets its share of the processors.
const SCRIPT: &str = "
import json, os, random, socket, struct, sys, time
bridge, port, own, kept = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
seconds, copies, forged = (int(word) for word in sys.argv[5:8])
members = sys.argv[8:]
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
wire.bind((bridge, 0))
recorded = []
end = time.monotonic() + seconds
while (left := end - time.monotonic()) > 0:
    wire.settimeout(left)
    try:
        packet, about = wire.recvfrom(1 << 16)
    except TimeoutError:
        break
    if about[2] == socket.PACKET_OUTGOING or packet[12:14].hex() != '0800' or packet[23] != 17:
        continue
    head = 14 + 4 * (packet[14] & 15)
    to = socket.inet_ntoa(packet[30:34])
    if to in members and struct.unpack('!H', packet[head + 2:head + 4])[0] == port:
        recorded.append((to, packet, packet[head + 8:]))
plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
plain.bind((own, 0))
counts = {member: {'again': 0, 'elsewhere': 0, 'forged': 0} for member in members}
def send(member, kind, act):
    act()
    counts[member][kind] += 1
    time.sleep(0.001)
for to, packet, said in recorded * copies:
    send(to, 'again', lambda: wire.send(packet))
for to, packet, said in recorded:
    other = random.choice([member for member in members if member != to])
    send(other, 'elsewhere', lambda: plain.sendto(said, (other, port)))
with open(kept, 'a+') as file:
    file.seek(0)
    for line in file:
        packet = bytes.fromhex(line)
        send(socket.inet_ntoa(packet[30:34]), 'elsewhere', lambda: wire.send(packet))
    file.writelines(packet.hex() + chr(10) for to, packet, said in recorded)
for at in range(forged):
    for member in members:
        said = os.urandom(random.randrange(1, 1200))
        if recorded and at % 2:
            said = bytearray(random.choice(recorded)[2])
            said[random.randrange(len(said))] ^= 1 << random.randrange(8)
        send(member, 'forged', lambda: plain.sendto(said, (member, port)))
print(json.dumps(counts))
";
/// For how many seconds members are listened to.
const SECONDS: u64 = 2;
/// How often each packet is sent again.
const COPIES: u64 = 10;
/// How many datagrams are made up for each member.
const FORGED: u64 = 50;

/// How long a member may take until it has counted what came to it.
const COUNTED_MAX: Duration = Duration::from_secs(10);
/// How often one looks.
const LOOK: Duration = Duration::from_millis(20);

/// What a member has dropped so far.
#[derive(Clone, Copy, Debug)]
struct Dropped {
    forged: u64,
    replayed: u64,
    /// What its system dropped before it could look at it.
    overrun: u64,
}

impl Played {
    /// Plays once to members that all see each other, and keeps in a file what was recorded. What
    /// they did not drop is a fault.
    pub(crate) fn play(
        &mut self,
        land: &Land,
        members: &[Resident],
        kept: &Path,
    ) -> Result<(), String> {
        let before = members.iter().map(|member| Dropped::of(land, member));
        let before = before.collect::<Result<Vec<_>, _>>()?;
        let mut script = Command::new("python3");
        script.args(["-c", SCRIPT, BRIDGE, &PORT.to_string(), &OUTSIDE.to_string()]);
        script.arg(kept).args([SECONDS, COPIES, FORGED].map(|count| count.to_string()));
        script.args(members.iter().map(|member| address(member.number).to_string()));
        let sent = serde_json::from_slice::<Value>(&printed(script)?);
        let sent = sent.map_err(|fault| format!("a playback: {fault}"))?;
        self.times += 1;
        for (member, before) in members.iter().zip(before) {
            let sent = &sent[address(member.number).to_string()];
            let count = |kind: &str| sent[kind].as_u64().unwrap_or_default();
            self.again += count("again");
            self.elsewhere += count("elsewhere");
            self.forged += count("forged");
            before.risen(land, member, count("again"), count("forged"))?;
        }
        Ok(())
    }
}

impl Dropped {
    fn of(land: &Land, member: &Resident) -> Result<Self, String> {
        let answer = Door::at_socket(&member.socket()).get("/v1/info");
        let info = answer.map_err(|broke| format!("info: {broke}"))?.json()?;
        let count = |name: &str| {
            let missing = || format!("{} does not say `{name}`: {info}", member.name());
            info[name].as_u64().ok_or_else(missing)
        };
        let (forged, replayed) = (count("datagrams_forged")?, count("datagrams_replayed")?);
        Ok(Self { forged, replayed, overrun: overrun(land, member.number)? })
    }

    /// Waits until a member has dropped so many more; those that its system did not give it are no
    /// fault of it.
    fn risen(self, land: &Land, member: &Resident, again: u64, forged: u64) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let now = Self::of(land, member)?;
            let lost = now.overrun - self.overrun;
            let (replayed, made_up) = (now.replayed - self.replayed, now.forged - self.forged);
            if replayed + lost >= again && made_up + lost >= forged {
                return Ok(());
            }
            if begun.elapsed() > COUNTED_MAX {
                return Err(format!(
                    "{} was sent {again} datagrams again and {forged} made up, and dropped \
                     {replayed} and {made_up}; {lost} were lost before it",
                    member.name()
                ));
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// How many datagrams found no room at the sockets of a member's network.
fn overrun(land: &Land, number: u8) -> Result<u64, String> {
    let mut command = land.command(number, "cat".as_ref());
    command.arg("/proc/net/snmp");
    let said = String::from_utf8_lossy(&printed(command)?).into_owned();
    let mut lines = said.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let names = lines.next().unwrap_or_default().split(' ');
    let values = lines.next().unwrap_or_default().split(' ');
    let found = names.zip(values).find(|(name, _)| *name == "RcvbufErrors");
    let value = found.and_then(|(_, value)| value.parse().ok());
    value.ok_or_else(|| "the system does not count lost datagrams".to_owned())
}
