/** A customer's portal: holds a viewer's key of its client, subscribes to its live alerts, and shows what arrives. */
import { ApiClient } from './api-client';
import type { Scoreboard } from './scoreboard';
import type { DemoClient } from './settings';

interface AlertFrame {
  readonly alertChanged: {
    readonly fromState: string | null;
    readonly toState: string | null;
    readonly alert: {
      readonly id: string;
      readonly title: string;
      readonly severity: string;
      readonly detector: string;
      readonly kind: string;
      readonly createdAt: string;
      readonly network: string | null;
      readonly sim: { readonly iccid: string } | null;
      readonly evidence: readonly { readonly text: string }[];
    } | null;
  };
}

const subscription = `subscription PortalAlerts {
  alertChanged {
    fromState
    toState
    alert { id title severity detector kind createdAt network sim { iccid } evidence { text } }
  }
}`;

/** Of many alerts of one kind in one step, so many are shown one by one. */
const MOST_ALIKE = 3;

interface Line {
  /** Lines with equal keys say the same of several SIMs. */
  readonly key: string;
  readonly text: string;
}

export class Portal {
  private lines: Line[] = [];

  private constructor(
    private readonly api: ApiClient,
    private readonly client: DemoClient,
    private readonly scoreboard: Scoreboard,
  ) {}

  static async open(url: string, operator: ApiClient, client: DemoClient, scoreboard: Scoreboard): Promise<Portal> {
    const { createApiKey } = await operator.graphql<{ createApiKey: { secret: string } }>(
      `mutation PortalKey($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message } } }`,
      { input: { client: client.id, role: 'CLIENT_VIEWER', name: 'portal', owner: `portal of ${client.name}` } },
    );
    const portal = new Portal(new ApiClient(url, createApiKey.secret), client, scoreboard);
    portal.api.subscribe<AlertFrame>(
      subscription,
      (frame) => portal.received(frame),
      (error) => {
        const text = `${client.name}: the subscription ended: ${error instanceof Error ? error.message : JSON.stringify(error)}`;
        portal.lines.push({ key: text, text });
      },
    );
    return portal;
  }

  /** What came since the last call, as lines for a person. */
  takeLines(): string[] {
    const alike = new Map<string, Line[]>();
    for (const line of this.lines.splice(0)) alike.set(line.key, [...(alike.get(line.key) ?? []), line]);
    return [...alike.values()].flatMap((lines) => {
      const shown = lines.slice(0, MOST_ALIKE).map((line) => line.text);
      return lines.length > MOST_ALIKE
        ? [...shown, `                    … and ${lines.length - MOST_ALIKE} more SIMs with the same`]
        : shown;
    });
  }

  close(): Promise<void> {
    return this.api.close();
  }

  private received({ alertChanged: { alert, fromState } }: AlertFrame): void {
    if (!alert || fromState !== null) return;
    const seen = {
      id: alert.id,
      client: this.client.name,
      iccid: alert.sim?.iccid ?? null,
      detector: alert.detector,
      kind: alert.kind,
      severity: alert.severity,
      raisedAt: new Date(alert.createdAt),
    };
    if (!this.scoreboard.add(seen)) return;
    const subject = alert.sim ? `SIM …${alert.sim.iccid.slice(-7)}` : (alert.network ?? 'fleet');
    const mark = this.scoreboard.storyOf(seen) ? '' : '  ← nothing is wrong here';
    const when = alert.createdAt.slice(0, 16).replace('T', ' ');
    const what = `${alert.title}: ${alert.evidence[0]?.text ?? ''}`;
    this.lines.push({
      key: `${alert.detector}:${alert.kind}:${mark}`,
      text: `  ${when}  ${this.client.name.padEnd(18)}  ${alert.severity.padEnd(8)}  ${subject}  ${what}${mark}`,
    });
  }
}
