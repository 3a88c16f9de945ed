/** How long a detector may take for one answer. */

/** Milliseconds that one call may take before it counts as failed. */
const TIME_BUDGET_MILLISECONDS = 30_000;

/** Aborts what has not answered in time. What computes without a pause can't be interrupted in this process; its answer then counts. */
export async function withinBudget<T>(call: (signal: AbortSignal) => T | Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const spent = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      controller.abort();
      reject(new Error(`no answer within ${TIME_BUDGET_MILLISECONDS} ms`));
    }, TIME_BUDGET_MILLISECONDS);
  });
  try {
    return await Promise.race([call(controller.signal), spent]);
  } finally {
    clearTimeout(timer);
  }
}
