/** The read side: how much was used when, by whom, and who uses most. */
import { InsightsResolver, SimUsageResolver, TopConsumerResolver } from './insights-resolver';

export const insightsResolvers = [InsightsResolver, SimUsageResolver, TopConsumerResolver] as const;
