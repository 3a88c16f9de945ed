/** `simwarden serve`: the server, until it is told to stop. */
import { createApp } from '../app';
import { Config } from '../config';
import { durability } from '../health';

export async function serve(config: Config): Promise<void> {
  const app = await createApp({ config });
  const write = (line: string) => process.stdout.write(`${line}\n`);
  write(`Simwarden listens on ${app.url}`);
  write(`Database: ${app.database.kind}, ${durability(app.database)}.`);
  if (config.environment !== 'production') write(`GraphiQL: ${app.url}/`);
  if (app.newOperatorKey) {
    write('An operator key was made, since SIMWARDEN_OPERATOR_KEY names none. It is shown this once; keep it:');
    write(`  ${app.newOperatorKey}`);
  }
  await stopSignal();
  write('Stopping…');
  await app.close();
}

export type StopSignal = 'SIGINT' | 'SIGTERM';
/** What shells say of a process that a signal ended. */
export const exitCodes: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export function stopSignal(): Promise<StopSignal> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = (signal: NodeJS.Signals) => {
      if (asked) process.exit(exitCodes[signal as StopSignal]);
      asked = true;
      resolve(signal as StopSignal);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}
