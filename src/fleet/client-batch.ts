/** Loader keys that name their client, `${clientId}:${key}`, and one statement per client for a batch of them. */

export function loaderKey(clientId: number, key: string): string {
  return `${clientId}:${key}`;
}

/** Splits keys by client, asks once per client, and answers in the order of the keys; null where nothing was found. */
export async function batchByClient<Value>(
  keys: readonly string[],
  find: (clientId: number, keys: string[]) => Promise<ReadonlyMap<string, Value>>,
): Promise<(Value | null)[]> {
  const byClient = new Map<number, string[]>();
  for (const [clientId, key] of keys.map(split)) {
    const known = byClient.get(clientId);
    if (known) known.push(key);
    else byClient.set(clientId, [key]);
  }
  const found = new Map<number, ReadonlyMap<string, Value>>();
  for (const [clientId, own] of byClient) found.set(clientId, await find(clientId, own));
  return keys.map(split).map(([clientId, key]) => found.get(clientId)?.get(key) ?? null);
}

function split(key: string): [number, string] {
  const colon = key.indexOf(':');
  return [Number(key.slice(0, colon)), key.slice(colon + 1)];
}
