/** What the dialogues of one SIM and day come to, before it becomes a row of features. Times in milliseconds. */

/** Slots of the counters by kind: protocol (1 bit) · procedure (3) · origin (2) · outcome (2). */
const KINDS = 256;

export class Tally {
  /** Dialogues by protocol, procedure, origin and outcome. */
  readonly kinds = new Int32Array(KINDS);
  /** The slots of `kinds` that are in use: clearing these is cheaper than clearing all. */
  readonly used = new Uint8Array(KINDS);
  usedCount = 0;
  n = 0;
  mapNetworks = 0;
  diameterNetworks = 0;
  vlrs = 0;
  sgsns = 0;
  operatorChanges = 0;
  vlrChanges = 0;
  sgsnChanges = 0;
  /** Gaps within sessions, their mean and sum of squared deviations; breaks are the gaps between sessions. */
  gaps = 0;
  gapMean = 0;
  gapSquares = 0;
  breaks = 0;
  breakMean = 0;
  breakSquares = 0;
  /** Sessions of SAI, UL, UL_GPRS and CL with two dialogues or more: their number, and mean and squared deviations of the mean gap inside each. */
  signalingSessions = 0;
  signalingMean = 0;
  signalingSquares = 0;
  totalMinutes = 0;
  activeMinutes = 0;
  diameterMinutes = 0;
}
