/** The thread that computes features, so that the process goes on answering meanwhile. */
import { parentPort } from 'node:worker_threads';
import { computeDayFeatures, type PassInput } from './day-features';

parentPort?.on('message', ({ id, input }: { id: number; input: PassInput }) => {
  try {
    const answer = computeDayFeatures(input);
    parentPort?.postMessage({ id, answer }, [answer.values.buffer as ArrayBuffer, answer.dialogues.buffer as ArrayBuffer]);
  } catch (error) {
    parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
