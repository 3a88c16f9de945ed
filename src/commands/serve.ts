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

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = () => {
      if (asked) process.exit(130);
      asked = true;
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}
