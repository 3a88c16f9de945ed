/**
 * One process per data directory, since two would silently lose rows: the holder listens on a socket inside it, which also serves as the door
 * for commands that must go through the running server (`simwarden ingest`).
 *
 * A killed holder leaves its socket behind, and taking over by "remove it and make mine" would let two late-comers remove each other's. So sockets are
 * numbered: a new holder adds number n+1 after it saw n dead, whole (already listening) and only if nobody else has (link fails then), and looks again
 * that no higher one came meanwhile. The highest number always stays, so numbers never go back.
 */
import { chmodSync, closeSync, linkSync, mkdirSync, openSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { SimwardenError } from '../../errors';

export interface DirectoryLock {
  /** Accepts the connections of commands that found the running server; give it to an HTTP server (`httpServer.emit('connection', socket)`). */
  readonly server: Server;
  readonly socketPath: string;
  release(): Promise<void>;
}

const socketName = /^holder\.(\d+)\.sock$/;
/** Longest path that fits a socket address everywhere (macOS: 103 bytes and a NUL). */
const longestSocketPath = 100;
let drafts = 0;

/** Throws DATA_DIRECTORY_IN_USE where another process (or this one) holds the directory. */
export async function holdDirectory(directory: string): Promise<DirectoryLock> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const room = openSocketRoom(directory, true)!;
  const draft = `draft.${process.pid}.${++drafts}.sock`;
  const server = createServer();
  server.on('connection', (socket) => {
    // Who only asks whether somebody is here hangs up at once; that must not end the process.
    socket.on('error', () => socket.destroy());
    const nobodyServes = server.listenerCount('connection') === 1;
    if (nobodyServes) socket.destroy();
  });
  try {
    await listen(server, room.address(draft));
    const number = await claim(room, draft, directory);
    rmSync(join(room.path, draft), { force: true });
    const release = async (): Promise<void> => {
      // Listening ends at once; connections that are still open are whose they were given to.
      server.close();
      await new Promise((done) => setImmediate(done));
      room.close();
    };
    return { server, socketPath: room.address(`holder.${number}.sock`), release };
  } catch (error) {
    server.close();
    rmSync(join(room.path, draft), { force: true });
    room.close();
    throw error;
  }
}

/** The socket of the process that holds the directory, or null where none does. */
export async function findRunningServer(directory: string): Promise<string | null> {
  const room = openSocketRoom(directory, false);
  if (!room) return null;
  const highest = highestNumber(room);
  const address = room.address(`holder.${highest}.sock`);
  if (highest > 0 && (await isAlive(address))) return address;
  room.close();
  return null;
}

async function claim(room: SocketRoom, draft: string, directory: string): Promise<number> {
  for (;;) {
    const seen = highestNumber(room);
    if (seen > 0 && (await isAlive(room.address(`holder.${seen}.sock`)))) throw new SimwardenError('DATA_DIRECTORY_IN_USE', { directory });
    const mine = seen + 1;
    try {
      linkSync(join(room.path, draft), join(room.path, `holder.${mine}.sock`));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    if (highestNumber(room) === mine) {
      removeBelow(room, mine);
      return mine;
    }
    rmSync(join(room.path, `holder.${mine}.sock`), { force: true });
  }
}

function highestNumber(room: SocketRoom): number {
  return Math.max(0, ...readdirSync(room.path).map((name) => Number(socketName.exec(name)?.[1] ?? 0)));
}

function removeBelow(room: SocketRoom, mine: number): void {
  for (const name of readdirSync(room.path)) {
    const number = Number(socketName.exec(name)?.[1] ?? 0);
    if (number > 0 && number < mine) rmSync(join(room.path, name), { force: true });
  }
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.removeListener('error', reject);
      server.unref();
      resolve();
    });
  });
}

/** Only a refused connection proves that nobody listens; whatever else happens, somebody might. */
function isAlive(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(address);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'));
  });
}

interface SocketRoom {
  readonly path: string;
  /** The path to listen on or connect to. */
  address(name: string): string;
  close(): void;
}

/** A directory of mode 0700 within the data directory, so that only its owner can reach the server by it. */
function openSocketRoom(directory: string, create: boolean): SocketRoom | null {
  const named = join(directory, 'lock');
  if (create) {
    mkdirSync(named, { recursive: true, mode: 0o700 });
    chmodSync(named, 0o700);
  } else if (!statSync(named, { throwIfNoEntry: false })) {
    return null;
  }
  const path = realpathSync(named);
  if (Buffer.byteLength(path) + 1 + 'draft.4294967296.99999.sock'.length <= longestSocketPath) {
    return { path, address: (name) => join(path, name), close: () => undefined };
  }
  if (process.platform !== 'linux') {
    throw new SimwardenError('CONFIGURATION_INVALID', {
      key: 'SIMWARDEN_DATA_DIR',
      given: directory,
      expected: 'a shorter path: a socket must fit into it',
    });
  }
  // A socket address is short; through its open descriptor a directory of any depth has a short name.
  const descriptor = openSync(path, 'r');
  return { path, address: (name) => `/proc/self/fd/${descriptor}/${name}`, close: () => closeSync(descriptor) };
}
