/** What every slice may use of access: who may do what, whose rows a request is about, and the audit log. */
import { ApiKeyResolver } from './api-key-resolver';
import { AuditResolver } from './audit-resolver';
import { ViewerResolver } from './viewer';

export { ApiKey } from './api-key';
export { ApiKeys, ensureOperatorKey } from './api-keys';
export { recordAudit } from './audit';
export { AuditRecord } from './audit-resolver';
export { Authenticator } from './authenticator';
export { authorise, mayUse, requirePermission } from './authorise';
export { maySee, readScope, requireClientId, writeScope } from './client-scope';
export { emptyPage } from './empty-page';
export { permissions } from './permissions';
export { RowFilter } from './row-filter';
export { Viewer } from './viewer';

export const accessResolvers = [ViewerResolver, ApiKeyResolver, AuditResolver] as const;
