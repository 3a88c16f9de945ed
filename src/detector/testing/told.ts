/** An error as its author needs it: what was thrown, and the place in his own code. */
import { join } from 'node:path';

const ours = join(__dirname, '..');

export function told(error: unknown): string {
  const place = error instanceof Error ? placeOf(error) : undefined;
  return place === undefined ? String(error) : `${String(error)} (at ${place})`;
}

/** File and line of the innermost call that is neither ours nor Node's. */
function placeOf({ stack = '' }: Error): string | undefined {
  for (const [, path, line] of stack.matchAll(/^ +at .*?\(?(?:file:\/\/)?(\/[^()\n]+):(\d+):\d+\)?$/gm)) {
    if (!path!.startsWith(`${ours}/`) && !path!.includes('/node_modules/')) return `${path!.split('/').slice(-2).join('/')}:${line}`;
  }
  return undefined;
}
