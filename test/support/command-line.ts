/** The command line as somebody at a terminal has it: a process of its own with its own environment, its lines and its exit code. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(__dirname, '../..');

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type Environment = Readonly<Record<string, string>>;

/** A command that runs; `simwarden` is the source, as `node dist/src/main.js` would be after a build. */
export class RunningCommand {
  readonly outcome: Promise<Outcome>;
  private readonly lines: string[] = [];
  private readonly waiting = new Set<() => void>();

  private constructor(readonly child: ChildProcess) {
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream]!.setEncoding('utf8').on('data', (text: string) => (output[stream] += text));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.lines.push(line);
      this.wake();
    });
    this.outcome = once(child, 'close').then(([code, signal]) => ({ code, signal, ...output }));
    void this.outcome.then(() => this.wake());
  }

  static simwarden(args: readonly string[], environment: Environment): RunningCommand {
    return RunningCommand.start(
      process.execPath,
      ['-r', join(__dirname, 'register-typescript.js'), join(root, 'src/main.ts'), ...args],
      environment,
    );
  }

  static start(command: string, args: readonly string[], environment: Environment, cwd = root): RunningCommand {
    const { PATH = '', HOME = '' } = process.env;
    return new RunningCommand(
      spawn(command, args, { cwd, env: { PATH, HOME, SIMWARDEN_LOG_LEVEL: 'warn', ...environment }, stdio: 'pipe' }),
    );
  }

  /** The first match in a line of standard output, as soon as it is there. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      for (const line of this.lines) {
        const match = pattern.exec(line);
        if (match) return match;
      }
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        const { code, stdout, stderr } = await this.outcome;
        throw new Error(`no line matched ${pattern}; it ended with ${code}\n${stdout}\n${stderr}`);
      }
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  private wake(): void {
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const wake of waiting) wake();
  }
}

export function simwarden(args: readonly string[], environment: Environment): Promise<Outcome> {
  const command = RunningCommand.simwarden(args, environment);
  command.child.stdin!.end();
  return command.outcome;
}
