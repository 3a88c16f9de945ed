/** Progress of long work: a bar on a terminal, a line now and then otherwise; always on standard error, so that output stays clean. */
import { SingleBar } from 'cli-progress';

export interface Progress {
  /** `done` of the total so far; `note` says what is going on. */
  update(done: number, note?: string): void;
  stop(): void;
}

/** Without a total (0) the amount alone is shown. */
export function startProgress(title: string, total: number, unit: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY && total > 0 ? bar(title, total, unit, stream) : lines(title, total, unit, stream);
}

function bar(title: string, total: number, unit: string, stream: NodeJS.WriteStream): Progress {
  const view = new SingleBar({
    format: `${title} [{bar}] {percentage} % ·${unit === '%' ? '' : ` {value}/{total} ${unit} ·`} {note}`,
    stream,
    hideCursor: true,
    clearOnComplete: false,
  });
  view.start(total, 0, { note: '' });
  return { update: (done, note = '') => view.update(Math.min(done, total), { note }), stop: () => view.stop() };
}

function lines(title: string, total: number, unit: string, stream: NodeJS.WriteStream): Progress {
  let lastTenth = -1;
  let lastNote = '';
  const said = (done: number) => (total > 0 ? `${Math.floor((done / total) * 100)} % of ${total} ${unit}` : `${done} ${unit}`);
  return {
    update: (done, note = '') => {
      const tenth = total > 0 ? Math.floor((done / total) * 10) : Math.floor(Math.log2(done + 1));
      // of what has no amount but its share, the note says in which part it is
      if (tenth === lastTenth && (unit !== '%' || note === lastNote)) return;
      lastTenth = tenth;
      lastNote = note;
      stream.write(`${title}: ${unit === '%' ? `${done} %` : said(done)}${note ? ` · ${note}` : ''}\n`);
    },
    stop: () => undefined,
  };
}
