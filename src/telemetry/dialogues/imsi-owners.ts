/** Whose each dialogue is: the directory of IMSIs, kept in memory as typed arrays and forgotten whenever an IMSI changes hands. */
import { singleton } from 'tsyringe';
import type { Transaction } from '../../database/database';
import { imsiVersion, ownerAt, type DirectoryEntry } from '../../fleet';
import { settledEntries } from '../owners';
import { Fate, imsiKey, imsiText, type DialogueChunk } from './dialogue-chunk';

const LEAST_SLOTS = 1 << 12;
/** 168 MB; SIMs beyond five million begin the table anew. */
const MOST_SLOTS = 1 << 23;
/** Client of an IMSI that had several owners, or has none now: they stand in `histories`. */
const HISTORY = -2;
const NOBODY = -1;

@singleton()
export class ImsiOwners {
  private version = '';
  private count = 0;
  /** 0: free. */
  private keys = new Float64Array(LEAST_SLOTS);
  private clientIds = new Int32Array(LEAST_SLOTS);
  private simIdsHigh = new Int32Array(LEAST_SLOTS);
  private simIdsLow = new Int32Array(LEAST_SLOTS);
  private histories = new Map<number, readonly DirectoryEntry[]>();

  /**
   * Writes client and SIM of each row from `from` on that isn't rejected yet; rejects those that nobody, or nobody within `onlyClient`, owned at
   * their time. An IMSI that isn't in memory is looked up before its row is given up.
   */
  async resolve(tx: Transaction, chunk: DialogueChunk, from: number, onlyClient: number | null): Promise<void> {
    const version = await imsiVersion(tx);
    if (version !== this.version) this.forget(version);
    const missed: number[] = [];
    for (let row = from; row < chunk.rowCount; row++) {
      if (chunk.fate[row] === Fate.STORED && !this.own(chunk, row)) missed.push(row);
    }
    if (missed.length > 0) {
      const wanted = new Set<number>();
      for (const row of missed) wanted.add(chunk.imsi[row]!);
      const entries = await settledEntries(tx, 'IMSI', [...wanted].map(imsiText));
      // From here on nothing waits, so that no other chunk makes the table forget these before they were used.
      this.learn(entries);
      for (const row of missed) if (!this.own(chunk, row)) chunk.fate[row] = Fate.REJECTED;
    }
    if (onlyClient === null) return;
    for (let row = from; row < chunk.rowCount; row++) {
      if (chunk.fate[row] === Fate.STORED && chunk.clientId[row] !== onlyClient) chunk.fate[row] = Fate.REJECTED;
    }
  }

  private own(chunk: DialogueChunk, row: number): boolean {
    const slot = this.slotOf(chunk.imsi[row]!);
    if (this.keys[slot] === 0) return false;
    const clientId = this.clientIds[slot]!;
    if (clientId === HISTORY) return this.ownByHistory(chunk, row);
    chunk.clientId[row] = clientId;
    chunk.simIdHigh[row] = this.simIdsHigh[slot]!;
    chunk.simIdLow[row] = this.simIdsLow[slot]!;
    return true;
  }

  private ownByHistory(chunk: DialogueChunk, row: number): boolean {
    const key = chunk.imsi[row]!;
    const owner = ownerAt(this.histories.get(key) ?? [], imsiText(key), new Date(chunk.startedAt[row]!));
    if (!owner) return false;
    const simId = BigInt(owner.simId!);
    chunk.clientId[row] = owner.clientId;
    chunk.simIdHigh[row] = Number(simId >> 32n);
    chunk.simIdLow[row] = Number(BigInt.asIntN(32, simId));
    return true;
  }

  private learn(entries: readonly DirectoryEntry[]): void {
    if (this.count + entries.length > MOST_SLOTS * 0.7) this.forget(this.version);
    for (let first = 0, next = 0; first < entries.length; first = next) {
      const { value } = entries[first]!;
      while (next < entries.length && entries[next]!.value === value) next++;
      const own = entries.slice(first, next);
      if (own.length === 1 && own[0]!.validTo === null) this.put(imsiKey(value), own[0]!.clientId, BigInt(own[0]!.simId!));
      else {
        this.put(imsiKey(value), HISTORY, 0n);
        this.histories.set(imsiKey(value), own);
      }
    }
  }

  private put(key: number, clientId: number, simId: bigint): void {
    let slot = this.slotOf(key);
    if (this.keys[slot] === 0) {
      if (++this.count > this.keys.length * 0.7) {
        this.widen();
        slot = this.slotOf(key);
      }
    }
    this.keys[slot] = key;
    this.clientIds[slot] = clientId;
    this.simIdsHigh[slot] = Number(simId >> 32n);
    this.simIdsLow[slot] = Number(BigInt.asIntN(32, simId));
  }

  /** The key's slot, or the free one where it would stand. */
  private slotOf(key: number): number {
    const mask = this.keys.length - 1;
    const high = (key / 4_294_967_296) | 0;
    const low = (key - high * 4_294_967_296) | 0;
    let hash = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    while (this.keys[slot] !== 0 && this.keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  private widen(): void {
    const { keys, clientIds, simIdsHigh, simIdsLow } = this;
    this.allocate(keys.length * 2);
    for (let from = 0; from < keys.length; from++) {
      if (keys[from] === 0) continue;
      const slot = this.slotOf(keys[from]!);
      this.keys[slot] = keys[from]!;
      this.clientIds[slot] = clientIds[from]!;
      this.simIdsHigh[slot] = simIdsHigh[from]!;
      this.simIdsLow[slot] = simIdsLow[from]!;
    }
  }

  private allocate(slots: number): void {
    this.keys = new Float64Array(slots);
    this.clientIds = new Int32Array(slots).fill(NOBODY);
    this.simIdsHigh = new Int32Array(slots);
    this.simIdsLow = new Int32Array(slots);
  }

  private forget(version: string): void {
    this.version = version;
    this.count = 0;
    this.histories = new Map();
    this.allocate(LEAST_SLOTS);
  }
}
