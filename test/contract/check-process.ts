/** `simwarden check` on several packages, one after the other, in a process of its own: what each says and how it ends, as a line of JSON. */
import { checkPlugin } from '../../src/commands/check';
import { Config } from '../../src/config';

export interface CheckOutcome {
  readonly code: number;
  readonly text: string;
}

async function main(packages: readonly string[]): Promise<void> {
  for (const given of packages) {
    let text = '';
    const code = await checkPlugin(given, new Config(), (part) => (text += part)).catch((error: Error) => {
      text = error.message;
      return 1;
    });
    process.stdout.write(`${JSON.stringify({ code, text } satisfies CheckOutcome)}\n`);
  }
}

void main(process.argv.slice(2));
