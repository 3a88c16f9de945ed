/** Alerts by id and by what came before them, in batches per client. */
import { batchByClient } from '../fleet';
import { defineLoader, type GraphqlContext } from '../graphql/context';
import { selectAlertColumns, type AlertRecord } from './alert-record';

/** Key `${clientId}:${alertId}`; null where there is none that the caller may see. */
export const alertLoader = defineLoader<string, AlertRecord>('alert', (keys, context) =>
  batchByClient(keys, async (clientId, alertIds) => {
    const rows = await context.read((tx) =>
      tx.query<AlertRecord>(`SELECT ${selectAlertColumns()} FROM alert WHERE client_id = $1 AND alert_id = ANY($2::uuid[])`, [
        clientId,
        alertIds,
      ]),
    );
    return new Map(visible(rows, context).map((record) => [record.alertId, record]));
  }),
);

/** Key `${clientId}:${alertId}`: the alert of the same fingerprint that was there before this one. */
export const previousAlertLoader = defineLoader<string, AlertRecord>('previousAlert', (keys, context) =>
  batchByClient(keys, async (clientId, alertIds) => {
    const rows = await context.read((tx) =>
      tx.query<AlertRecord & { of: string }>(
        `SELECT DISTINCT ON (later.alert_id) later.alert_id AS "of", ${selectAlertColumns('alert.')}
     FROM alert later JOIN alert ON alert.client_id = later.client_id AND alert.fingerprint = later.fingerprint
       AND alert.first_window_start < later.first_window_start AND alert.occurrence_count > 0
     WHERE later.client_id = $1 AND alert.client_id = $1 AND later.alert_id = ANY($2::uuid[])
     ORDER BY later.alert_id, alert.first_window_start DESC`,
        [clientId, alertIds],
      ),
    );
    return new Map(visible(rows, context).map((record) => [record.of, record]));
  }),
);

function visible<Row extends AlertRecord>(rows: readonly Row[], context: GraphqlContext): Row[] {
  const { fleetIds } = context.caller;
  return rows.filter(({ fleetId }) => fleetIds === null || (fleetId !== null && fleetIds.includes(fleetId)));
}
