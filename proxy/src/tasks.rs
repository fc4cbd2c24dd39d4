//! The only place that spawns: every task is counted, and can be waited for.

use tokio_util::task::TaskTracker;

/// The tasks of one thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks(TaskTracker);

impl Tasks {
    /// Starts a task on this thread; it never moves to another.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0.spawn_local(task);
    }

    /// How many tasks there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Waits until no task is left. Call it once nothing starts new ones for ever.
    pub(crate) async fn drained(&self) {
        self.0.close();
        self.0.wait().await;
    }
}
