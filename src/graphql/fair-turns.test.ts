import { FairTurns } from './fair-turns';

/** Work that ends when told, and the names of what has begun. */
function bench(turns: FairTurns) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const ask = (client: number, name: string): Promise<void> =>
    turns.run(client, () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string): Promise<void> => {
    ends.get(name)!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, ask, end };
}

it('leaves room for others while one client asks for more than its share', async () => {
  const { begun, ask } = bench(new FairTurns(3, 2));
  for (const name of ['a1', 'a2', 'a3', 'a4']) void ask(1, name);
  void ask(2, 'b1');
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toEqual(['a1', 'a2', 'b1']);
});

it('serves clients in turns, each in its own order', async () => {
  const { begun, ask, end } = bench(new FairTurns(1, 1));
  for (const name of ['a1', 'a2', 'a3']) void ask(1, name);
  for (const name of ['b1', 'b2']) void ask(2, name);
  for (const name of ['a1', 'a2', 'b1', 'a3', 'b2']) await end(name);
  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3', 'b2']);
});

it('hands a turn on when the work fails', async () => {
  const turns = new FairTurns(1, 1);
  await expect(turns.run(1, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await turns.run(1, () => Promise.resolve('next'))).toBe('next');
});
