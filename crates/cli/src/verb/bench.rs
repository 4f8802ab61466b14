//! `bary bench`: scenes of work on a few real nodes of this machine, and their figures beside those
//! that a published system claims.

mod figures;
mod scene;
mod stage;

use std::io::IsTerminal as _;

use bary_policy::preset;

use crate::args::Face;
use crate::args::bench::{BenchArgs, Scene};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::Wish;
use crate::screen::Screen;
use crate::verb;
use crate::verb::bench::figures::{FIGURES, figures};
use crate::verb::bench::scene::play;
use crate::verb::bench::stage::Stage;

/// Plays the scenes and prints their figures.
pub(crate) fn run(args: &BenchArgs, face: Face) -> Result<Exit, Complaint> {
    if let Some(policy) = &args.policy {
        preset::parse(policy).map_err(Complaint::usage)?;
    }
    let all = [Scene::Burst, Scene::Gradual, Scene::Long];
    let scenes = if args.scenes.is_empty() { &all[..] } else { &args.scenes };
    let mut screen = Screen::new(face);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Complaint::failed)?;
    let mut rows = Vec::new();
    for scene in scenes {
        let mut runs = Vec::new();
        for run in 1..=args.runs {
            if std::io::stderr().is_terminal() && !face.is_quiet() {
                screen.note(&format!("bary: {scene:?}, {run} of {}", args.runs).to_lowercase());
            }
            let seen = runtime.block_on(async {
                let stage = Stage::up(args.nodes, args.policy.as_deref());
                let work = async {
                    let stage = stage?;
                    let node = stage.ready().await?;
                    let seen = play(*scene, &node).await?;
                    stage.down()?;
                    Ok::<_, Complaint>(seen)
                };
                tokio::select! {
                    biased;
                    heard = tokio::signal::ctrl_c() => {
                        heard.map_err(Complaint::failed)?;
                        Ok(None)
                    }
                    seen = work => seen.map(Some),
                }
            });
            // What was begun has been dropped with the stage.
            let Some(seen) = seen? else { return Ok(Exit::INTERRUPTED) };
            runs.push(seen);
        }
        rows.extend(figures(*scene, &runs, args.nodes));
    }
    let text = FIGURES.text(&rows, &Wish::now(face, None))?;
    screen.out(text.as_bytes()).and_then(|()| screen.flush()).map_err(verb::printing)?;
    Ok(Exit::OK)
}
