//! Copies a file of so many bytes to another over TLS 1.3 on loopback, as plainly as that can be
//! done, and prints how many seconds it took: what `cargo xtask bench blob` holds results against.
//!
//! `tls_copy FROM TO BYTES`: makes the file FROM first, which is not counted.

#![expect(clippy::print_stdout, reason = "an example prints what it measured")]

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use rcgen::generate_simple_self_signed;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::TLS13;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How much is moved at a time.
const PIECE_BYTES: usize = 256 << 10;
const NAME: &str = "copy.test.internal";

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, bytes] = &words[..] else { return Err("tls_copy FROM TO BYTES".into()) };
    let bytes: u64 = bytes.parse()?;
    let mut source = File::create(from)?;
    io::copy(&mut io::repeat(b'x').take(bytes), &mut source)?;
    let (server, client) = configs()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    let begun = Instant::now();
    let from = from.clone();
    let giving = std::thread::spawn(move || give(&listener, server, &from));
    let tcp = TcpStream::connect(at)?;
    tcp.set_nodelay(true)?;
    let connection = ClientConnection::new(client, NAME.try_into()?)?;
    let mut tls = StreamOwned::new(connection, tcp);
    let mut target = File::create(to)?;
    let copied = pipe(&mut tls, &mut target)?;
    let seconds = begun.elapsed().as_secs_f64();
    giving.join().map_err(|_| "the sender panicked")??;
    if copied != bytes {
        return Err(format!("{copied} bytes came of {bytes}").into());
    }
    println!("{{\"seconds\":{seconds:.4}}}");
    Ok(())
}

/// Sends a file to whoever connects first.
fn give(listener: &TcpListener, config: Arc<ServerConfig>, from: &str) -> Result<(), Failure> {
    let (tcp, _) = listener.accept()?;
    tcp.set_nodelay(true)?;
    let mut tls = StreamOwned::new(ServerConnection::new(config)?, tcp);
    pipe(&mut BufReader::with_capacity(PIECE_BYTES, File::open(from)?), &mut tls)?;
    tls.conn.send_close_notify();
    tls.flush()?;
    Ok(())
}

fn pipe(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<u64> {
    let (mut piece, mut all) = (vec![0; PIECE_BYTES], 0);
    loop {
        match from.read(&mut piece)? {
            0 => return to.flush().map(|()| all),
            read => {
                to.write_all(&piece[..read])?;
                all += read as u64;
            }
        }
    }
}

/// A server that shows a certificate, and a client that trusts just that one.
fn configs() -> Result<(Arc<ServerConfig>, Arc<ClientConfig>), Failure> {
    let made = generate_simple_self_signed([NAME.to_owned()])?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let certificate = made.cert.der().clone();
    let provider = || Arc::new(ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let client = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok((Arc::new(server), Arc::new(client)))
}
