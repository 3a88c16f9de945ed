/** The catalogue of errors: code → what is said, how it is classed, what to do. Codes are never reused. */

/** `mendable`: a mutation answers it as a user error. Others are top-level errors with `extensions.code`. */
interface ErrorEntry {
  readonly status: number;
  readonly mendable: boolean;
  /** `{name}` is replaced by the detail of that name. */
  readonly message: string;
}

export const errorCatalogue = {
  // access
  UNAUTHENTICATED: {
    status: 401,
    mendable: false,
    message: 'No valid credential was given. Send `Authorization: Bearer <key>` with a key that is neither expired nor revoked.',
  },
  FORBIDDEN: { status: 403, mendable: false, message: 'The role {role} may not use {field}. Ask for a key with one of: {allowed}.' },
  RATE_LIMITED: { status: 429, mendable: false, message: 'Too many requests with this credential. Wait {seconds} s and send again.' },
  // requests
  BAD_USER_INPUT: { status: 400, mendable: true, message: '{what}' },
  NOT_FOUND: { status: 404, mendable: true, message: 'There is no {what} with that id, or it is not yours to see.' },
  WRONG_ID_TYPE: {
    status: 400,
    mendable: true,
    message: 'That id names a {given}; a {expected} was expected. Pass the id of a {expected}.',
  },
  BAD_CURSOR: {
    status: 400,
    mendable: false,
    message: 'The cursor "{given}" is not one of this list. Pass `pageInfo.endCursor` of the page before, or leave `after` out.',
  },
  CLIENT_REQUIRED: { status: 400, mendable: true, message: 'The operator must say which client this is for: give `client`.' },
  ALREADY_EXISTS: {
    status: 409,
    mendable: true,
    message: 'There is already one {what} with {key} "{given}". Choose another, or update that one.',
  },
  TOO_MANY_ITEMS: {
    status: 400,
    mendable: true,
    message: '{given} items were given; at most {most} are allowed. Send them in several calls.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 409,
    mendable: true,
    message: 'The idempotency key "{key}" was used for another request. Use a new key for a new request.',
  },
  QUERY_TOO_DEEP: {
    status: 400,
    mendable: false,
    message: 'The query is nested {given} deep; at most {most} is allowed. Ask for less at once.',
  },
  QUERY_TOO_LARGE: { status: 400, mendable: false, message: 'The query has {given} {what}; at most {most} are allowed. Split it.' },
  QUERY_TOO_COSTLY: {
    status: 400,
    mendable: false,
    message: 'The query may cost {given}; at most {most} is allowed. Ask for smaller pages or fewer nested lists.',
  },
  TOO_MANY_SUBSCRIPTIONS: {
    status: 429,
    mendable: false,
    message: 'This socket has {most} operations open already; that is the most. Complete some, or open another socket.',
  },
  TOO_MANY_INGESTS: {
    status: 429,
    mendable: false,
    message:
      'This credential has {most} uploads open already; at most {most} are served at once. Let one end, or come again in {seconds} s.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    mendable: false,
    message: 'The request body is larger than {most} bytes. Use POST /ingest/… for bulk data.',
  },
  BODY_TIMEOUT: { status: 408, mendable: false, message: 'The request body did not arrive in time. Send it faster, or in smaller parts.' },
  BAD_REQUEST: { status: 400, mendable: false, message: '{what}' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, mendable: false, message: 'The content type "{given}" is not supported here. Use {expected}.' },
  METHOD_NOT_ALLOWED: { status: 405, mendable: false, message: '{given} is not allowed here. Use {expected}.' },
  INTERNAL_SERVER_ERROR: {
    status: 500,
    mendable: false,
    message:
      'Something went wrong on our side. Nothing was stored by this request unless it says so; try again, and quote request {requestId}.',
  },
  SHUTTING_DOWN: { status: 503, mendable: false, message: 'The server is stopping. Send again in a moment.' },
  // command line
  FILE_UNREADABLE: { status: 500, mendable: false, message: "{file} can't be read: {what}." },
  FILE_UNWRITABLE: { status: 500, mendable: false, message: "{file} can't be written: {what}." },
  TABLE_INVALID: { status: 400, mendable: false, message: 'The table {file} is not one of numbers: {what}.' },
  SERVER_UNREACHABLE: {
    status: 500,
    mendable: false,
    message: "The server at {url} can't be reached ({what}). Check that it runs, and the URL.",
  },
  ANSWER_LOST: {
    status: 500,
    mendable: false,
    message:
      'The server ended the connection before it answered ({what}). Send the file again: what is stored already is not stored twice.',
  },
  // database
  DATABASE_BUSY: {
    status: 503,
    mendable: false,
    message:
      'No database session became free within {milliseconds} ms. Try again; if it persists, look for a transaction that is held open.',
  },
  STATEMENT_TIMEOUT: {
    status: 503,
    mendable: false,
    message: 'The query needed longer than {milliseconds} ms and was stopped. Ask for a smaller range.',
  },
  DATA_DIRECTORY_IN_USE: {
    status: 500,
    mendable: false,
    message:
      'The data directory "{directory}" is in use by another Simwarden process. Stop it, use another SIMWARDEN_DATA_DIR, or send your data through it.',
  },
  DATABASE_UNAVAILABLE: {
    status: 503,
    mendable: false,
    message:
      "The database can't be reached or closed the connection ({what}). Try again; if it persists, check DATABASE_URL and the server.",
  },
  MIGRATION_CHANGED: {
    status: 500,
    mendable: false,
    message:
      'Migration {name} was changed after it had been applied to this database. Restore the file, and put the change into a new migration.',
  },
  SCHEMA_TOO_NEW: {
    status: 500,
    mendable: false,
    message:
      'The database was migrated by a newer Simwarden ({name} is unknown here). Start that version, or restore a backup from before.',
  },
  CONFIGURATION_INVALID: { status: 500, mendable: false, message: 'Configuration {key}="{given}" is not valid: {expected}.' },
  // ingest: the file
  HEADER_INVALID: {
    status: 400,
    mendable: false,
    message: 'The CSV header is wrong: {what}. Expected these columns, in any order: {expected}. Nothing was stored.',
  },
  TRUNCATED: {
    status: 400,
    mendable: false,
    message:
      'The body ended early ({what}). The counts say what is stored; send the whole body again with the same idempotency key to add the rest.',
  },
  BATCH_CONFLICT: {
    status: 409,
    mendable: false,
    message: 'Chunk {chunk} of batch "{batch}" is stored with other content. Send different data under another idempotency key.',
  },
  // ingest: a row
  UNKNOWN_SIM: {
    status: 422,
    mendable: true,
    message:
      'No SIM is registered under {field} {given} at that time. Register it (POST /ingest/sims); its held records are then stored by themselves.',
  },
  CONFLICTING_RECORD: {
    status: 422,
    mendable: true,
    message: 'A record with this id and day is stored with other content. The stored one stays; send corrections under a new id.',
  },
  FIELD_MISSING: { status: 422, mendable: true, message: 'Column {column} is empty; it is required.' },
  FIELD_INVALID: { status: 422, mendable: true, message: 'Column {column} is "{given}"; expected {expected}.' },
  FIELD_COUNT: { status: 422, mendable: true, message: 'The row has {given} fields; the header has {expected}.' },
  LINE_TOO_LONG: {
    status: 422,
    mendable: true,
    message: 'The line is longer than {most} bytes. No record is that long; check the file for missing line breaks.',
  },
  JSON_INVALID: { status: 422, mendable: true, message: 'The line is not a JSON object: {what}.' },
  TIME_IN_FUTURE: {
    status: 422,
    mendable: true,
    message: "The time {given} is more than 5 minutes ahead of now. Check the sender's clock.",
  },
  TIME_TOO_OLD: { status: 422, mendable: true, message: 'The time {given} is older than the {days} days that are kept.' },
  PERIOD_TOO_LONG: { status: 422, mendable: true, message: 'The record covers {given} days; at most 31 are accepted. Split it.' },
  PERIOD_NEGATIVE: { status: 422, mendable: true, message: 'ended_at {given} lies before started_at.' },
  TOO_MANY_NODES: {
    status: 422,
    mendable: true,
    message:
      'The chunk names more than {most} network nodes that nobody named before, or there are {mostInAll} in all. Check column node; send the row again in another batch.',
  },
  IDENTIFIER_TAKEN: { status: 422, mendable: true, message: 'The {field} {given} belongs to another SIM. Move or close that one first.' },
  // state machines
  ILLEGAL_TRANSITION: {
    status: 409,
    mendable: true,
    message: "The {what} is in state {from} and can't be {action}. Allowed now: {allowed}.",
  },
  SECOND_PERSON_REQUIRED: {
    status: 403,
    mendable: true,
    message: 'This request must be confirmed by another person than {person}: {why}.',
  },
  BLOCK_CAP_REACHED: {
    status: 409,
    mendable: true,
    message:
      'Blocking {given} SIMs would pass the cap of {most} SIMs of this {scope} per hour. Wait, or have the cap raised (updateClient).',
  },
  // detectors
  UNKNOWN_DETECTOR: { status: 404, mendable: true, message: 'There is no detector "{given}". Known: {known}.' },
  DETECTOR_REFUSED: {
    status: 500,
    mendable: false,
    message: "The detector {detector} can't be run: {what}. Mend it, or leave it out of the configuration.",
  },
  PARTNER_CODE_REFUSED: {
    status: 500,
    mendable: false,
    message:
      "SIMWARDEN_DETECTORS names {given}: partners' code, which nothing keeps from the network. Review it and set SIMWARDEN_ALLOW_PARTNER_CODE=1, or empty SIMWARDEN_DETECTORS.",
  },
  OPTIONS_INVALID: { status: 400, mendable: true, message: 'The options of {detector} are not valid: {what}.' },
  // population
  MODEL_REFUSED: {
    status: 500,
    mendable: false,
    message: 'The model of {model} is not used: {what}. Fit the models again: simwarden fit --from DAY --to DAY.',
  },
  NOTHING_TO_FIT: {
    status: 422,
    mendable: true,
    message:
      'There are no signaling features from {from} to {to}. Name days with dialogues; their features are computed when a day closes.',
  },
  NOTHING_TO_JUDGE: {
    status: 422,
    mendable: true,
    message: 'There are no signaling features of {days}: {why}.',
  },
  // back-tests
  NO_CLOSED_DAYS: {
    status: 422,
    mendable: true,
    message: 'No day from {from} to {to} can be judged: of this client, {why}. Name days among these, or wait for the day to close.',
  },
  TOO_MANY_BACKTESTS: {
    status: 429,
    mendable: true,
    message: '{given} back-tests of this client wait or run already; {most} is the most. Wait for one, or cancel one (cancelBacktest).',
  },
  // commands
  PLUGIN_UNCHECKABLE: { status: 400, mendable: false, message: "{plugin} can't be checked: {what}." },
  FOLDER_UNUSABLE: { status: 400, mendable: false, message: "A detector can't begin in {folder}: {what}." },
  CHECKOUT_NEEDED: {
    status: 400,
    mendable: false,
    message: '{what} compares with development dependencies and runs from a checkout only: clone the repository, then npm ci.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;
export type ErrorDetails = Record<string, string | number | bigint | boolean | null | undefined>;

/** An error from the catalogue. `path`: the input field at fault, from `input` down. */
export class SimwardenError extends Error {
  readonly status: number;
  readonly mendable: boolean;

  constructor(
    readonly code: ErrorCode,
    readonly details: ErrorDetails = {},
    readonly path: string[] | null = null,
  ) {
    super(errorMessage(code, details));
    this.name = 'SimwardenError';
    this.status = errorCatalogue[code].status;
    this.mendable = errorCatalogue[code].mendable;
  }
}

/** The catalogue's sentence with its details filled in; values from outside are cut to 120 characters. */
export function errorMessage(code: ErrorCode, details: ErrorDetails): string {
  return errorCatalogue[code].message.replace(/\{(\w+)\}/g, (_, name: string) => String(details[name] ?? '').slice(0, 400));
}
