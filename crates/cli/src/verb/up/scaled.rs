//! The command that is another member of the cluster, as the autoscaler starts it here: this
//! program again, which reads its join line from its standard input and ends with that.

use std::process::Command;
use std::sync::Arc;

use bary_node::scaler::driver::{NewMember, Starter};

/// Makes such commands.
pub(super) fn starter() -> Starter {
    Starter(Arc::new(|new: &NewMember| {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["join", "-", "--until-eof", "--no-socket", "--find", "none"]);
        command.args(["--listen", "127.0.0.1:0", "--cluster-listen", &new.listen.to_string()]);
        command.args(["--name", &new.name, "-j", &new.slots.to_string()]);
        command.arg("--state").arg(&new.state);
        Ok(command)
    }))
}
