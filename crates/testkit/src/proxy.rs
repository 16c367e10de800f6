//! A road that misbehaves: a TCP proxy between a client and a server, with faults that a test chooses while
//! it runs.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

/// What the road does with connections and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Everything passes.
    None,
    /// Nothing passes: connections end, new ones are closed at once.
    Cut,
    /// Each connection is cut after so many bytes of either direction, in the middle of whatever it is.
    CutAfter(u64),
    /// Bytes pass, so many a second in each direction.
    Slow(u64),
    /// Nothing is closed and nothing passes: bytes vanish.
    Hole,
    /// Every so many-th piece comes twice. (A stream protected by TLS breaks off there.)
    Twice(u64),
    /// Every so many-th piece comes after the one behind it.
    Swapped(u64),
}

/// A proxy that runs; ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where clients connect.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: Mutex<SocketAddr>,
    fault: Mutex<Fault>,
    /// Goes up with each change of the fault that ends connections.
    epoch: AtomicU64,
    stop: AtomicBool,
    passed: AtomicU64,
    accepted: AtomicU64,
}

/// Bytes in one piece.
const PIECE: usize = 4 * 1024;
/// How often a waiting thread looks whether it still should.
const LOOK: Duration = Duration::from_millis(20);

impl Proxy {
    /// Listens on a port of its own and passes everything on to `target`.
    ///
    /// # Errors
    /// Where no port can be had.
    pub fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            target: Mutex::new(target),
            fault: Mutex::new(Fault::None),
            epoch: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            passed: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
        });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if own.stop.load(Ordering::Relaxed) {
                    return;
                }
                own.accepted.fetch_add(1, Ordering::Relaxed);
                own.serve(&client);
            }
        });
        Ok(Self { address, shared })
    }

    /// From now on.
    pub fn set(&self, fault: Fault) {
        *self
            .shared
            .fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = fault;
        if fault == Fault::Cut {
            self.shared.epoch.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Bytes that were passed on so far.
    pub fn passed(&self) -> u64 {
        self.shared.passed.load(Ordering::Relaxed)
    }

    /// Connections so far.
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.epoch.fetch_add(1, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address); // wakes the listener
    }
}

impl Shared {
    fn fault(&self) -> Fault {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(self: &Arc<Self>, client: &TcpStream) {
        if self.fault() == Fault::Cut {
            let _ = client.shutdown(Shutdown::Both);
            return;
        }
        let target = *self.target.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(server) = TcpStream::connect(target) else {
            let _ = client.shutdown(Shutdown::Both);
            return;
        };
        let epoch = self.epoch.load(Ordering::Relaxed);
        let budget = Arc::new(AtomicU64::new(0));
        for (from, to) in [(client, &server), (&server, client)] {
            let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else {
                return;
            };
            let (this, budget) = (Arc::clone(self), Arc::clone(&budget));
            std::thread::spawn(move || {
                this.pass(&from, &to, epoch, &budget);
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    }

    /// Passes one direction on until it ends or is cut.
    fn pass(&self, mut from: &TcpStream, mut to: &TcpStream, epoch: u64, count: &AtomicU64) {
        let _ = from.set_read_timeout(Some(LOOK));
        let mut buffer = [0u8; PIECE];
        let mut held: Option<Vec<u8>> = None;
        let mut pieces = 0u64;
        loop {
            if self.epoch.load(Ordering::Relaxed) != epoch {
                return;
            }
            let length = match from.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => length,
                Err(error)
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) =>
                {
                    // Nothing comes behind it: it goes on alone.
                    if let Some(late) = held.take()
                        && to.write_all(&late).is_err()
                    {
                        return;
                    }
                    continue;
                }
                Err(_) => return,
            };
            let piece = buffer.get(..length).unwrap_or(&[]);
            pieces += 1;
            let so_far = count.fetch_add(length as u64, Ordering::Relaxed) + length as u64;
            let fault = self.fault();
            let sent = match fault {
                Fault::None | Fault::Cut => to.write_all(piece),
                Fault::CutAfter(most) if so_far > most => return,
                Fault::CutAfter(_) => to.write_all(piece),
                Fault::Hole => Ok(()),
                Fault::Slow(rate) => {
                    let nanos = 1_000_000_000u64.saturating_mul(length as u64) / rate.max(1);
                    std::thread::sleep(Duration::from_nanos(nanos).min(Duration::from_secs(5)));
                    to.write_all(piece)
                }
                Fault::Twice(every) if pieces.is_multiple_of(every.max(1)) => {
                    to.write_all(piece).and_then(|()| to.write_all(piece))
                }
                Fault::Swapped(every) if held.is_none() && pieces.is_multiple_of(every.max(1)) => {
                    held = Some(piece.to_vec());
                    continue;
                }
                Fault::Twice(_) | Fault::Swapped(_) => to.write_all(piece),
            };
            let sent = sent.and_then(|()| held.take().map_or(Ok(()), |late| to.write_all(&late)));
            if sent.is_err() {
                return;
            }
            if fault != Fault::Hole {
                self.passed.fetch_add(length as u64, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || {
                    let (mut from, mut to) = (&stream, &stream);
                    let _ = std::io::copy(&mut from, &mut to);
                });
            }
        });
        address
    }

    fn talk(proxy: &Proxy, text: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(proxy.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(text)?;
        let mut back = vec![0; text.len()];
        stream.read_exact(&mut back)?;
        Ok(back)
    }

    #[test]
    fn each_fault_is_one_and_goes_away() {
        let proxy = Proxy::start(echo()).expect("a proxy");
        assert_eq!(talk(&proxy, b"hello").expect("an echo"), b"hello");
        proxy.set(Fault::Cut);
        assert!(talk(&proxy, b"hello").is_err());
        proxy.set(Fault::Hole);
        assert!(talk(&proxy, b"hello").is_err());
        proxy.set(Fault::CutAfter(8));
        assert!(talk(&proxy, b"more than eight bytes").is_err());
        proxy.set(Fault::Twice(1));
        let back = talk(&proxy, b"ab").expect("an echo");
        assert_eq!(back, b"ab");
        proxy.set(Fault::Slow(1_000_000));
        assert_eq!(talk(&proxy, b"hello").expect("an echo"), b"hello");
        proxy.set(Fault::None);
        assert_eq!(talk(&proxy, b"hello").expect("an echo"), b"hello");
        assert!(proxy.accepted() >= 7 && proxy.passed() > 10);
    }
}
