/** A body that trickles holds a connection and a half-read chunk: it must keep a pace while we wait for it, not while it waits for us. */
import type { Readable } from 'node:stream';
import { SimwardenError } from '../errors';

export interface Pace {
  /** Bytes that must arrive in each window. */
  readonly bytes: number;
  readonly windowMilliseconds: number;
}

/** 16 KB/s over 30 s. */
export const INGEST_PACE: Pace = { bytes: 16 * 1024 * 30, windowMilliseconds: 30_000 };

/** The pieces of a body; throws BODY_TIMEOUT where it falls behind. The stream stays open, so that an answer can still be sent. */
export async function* paced(body: Readable, pace: Pace): AsyncGenerator<Buffer> {
  const pieces = body.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer, undefined>;
  let arrived = 0;
  let waiting = false;
  /** False once the sender had more than we took, or we weren't asking for it. */
  let senderHolds = true;
  let giveUp: (error: SimwardenError) => void = () => undefined;
  const watch = setInterval(() => {
    if (waiting && senderHolds && arrived < pace.bytes) giveUp(new SimwardenError('BODY_TIMEOUT'));
    arrived = 0;
    senderHolds = waiting;
  }, pace.windowMilliseconds);
  try {
    for (;;) {
      waiting = true;
      // A promise of each piece's own: a race against one for the whole body would keep every piece until the body ends.
      const piece = await new Promise<IteratorResult<Buffer, undefined>>((resolve, reject) => {
        giveUp = reject;
        pieces.next().then(resolve, reject);
      });
      waiting = false;
      if (piece.done) return;
      arrived += piece.value.length;
      yield piece.value;
      if (body.readableLength > 0) senderHolds = false;
    }
  } finally {
    clearInterval(watch);
  }
}
