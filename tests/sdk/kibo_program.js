// Drives a server with the vendor's own client for TypeScript, unmodified: one process, every call, one line of JSON each.
// node kibo_program.js MODULES '{"home": …, "tenantId": …, "clientId": …, "sharedSecret": …, "accountId": …, "address": …}'
'use strict';
const path = require('node:path');

const modules = path.resolve(process.argv[2]);
const told = JSON.parse(process.argv[3]);
const load = (name) => require(path.join(modules, name));
const { Configuration } = load('@kibocommerce/rest-sdk');
const { CustomerAccountApi } = load('@kibocommerce/rest-sdk/clients/Customer');
const { EventApi } = load('@kibocommerce/rest-sdk/clients/Event');
const { TenantsApi } = load('@kibocommerce/rest-sdk/clients/Tenant');
const { APIAuthClient } = load('@kibocommerce/sdk-authentication');

// The client speaks https only; on loopback its own option makes http of it.
const fetchApi = (url, options) => fetch(String(url).replace(/^https:/, 'http:'), options);
const settings = { tenantId: told.tenantId, clientId: told.clientId, sharedSecret: told.sharedSecret };
const configuration = new Configuration({ ...settings, authHost: told.home, fetchApi });
const accounts = new CustomerAccountApi(configuration);
const events = new EventApi(configuration);
const tenants = new TenantsApi(configuration);
const authentication = new APIAuthClient({ ...settings, authHost: told.home }, fetchApi);
const one = { accountId: told.accountId };

const calls = {
  'POST /platform/applications/authtickets/oauth': async () => {
    const ticket = await authentication.authenticate();
    return (await authentication.refreshTicket(ticket)).access_token;
  },
  'GET /platform/tenants/{tenantId}': async () => (await tenants.getTenant({ tenantId: told.tenantId })).domain,
  'GET /commerce/customer/accounts': async () => {
    const page = await accounts.getAccounts({
      startIndex: 0, pageSize: 200, sortBy: 'createDate asc', filter: 'acceptsMarketing eq true',
    });
    const found = await accounts.getAccounts({ filter: `emailAddress eq ${told.address}`, isAnonymous: false });
    return `${page.totalCount} ${page.items[0].id} ${found.items[0].id}`;
  },
  'GET /commerce/customer/accounts/{accountId}': async () => (await accounts.getAccount(one)).emailAddress,
  'PUT /commerce/customer/accounts/{accountId}': async () => {
    const account = await accounts.getAccount(one);
    const customerAccount = { ...account, acceptsMarketing: false };
    const after = await accounts.updateAccount({ ...one, customerAccount });
    return `${after.acceptsMarketing} ${after.lastName} ${after.contacts.length}`;
  },
  'GET /commerce/customer/accounts/{accountId}/attributes': async () =>
    (await accounts.getAccountAttributes(one)).items[0].fullyQualifiedName,
  'GET /commerce/customer/accounts/{accountId}/contacts': async () =>
    `${(await accounts.getAccountContacts({ ...one, pageSize: 200 })).totalCount}`,
  'GET /commerce/customer/accounts/{accountId}/segments': async () =>
    `${(await accounts.getAccountSegments(one)).totalCount}`,
  'GET /commerce/customer/accounts/{accountId}/AuditLog/Entries': async () =>
    (await accounts.getAccountAuditLog(one)).items[0].fieldPath,
  'GET /event/pull': async () => {
    const page = await events.getEvents({ startIndex: 0, pageSize: 200 });
    calls.eventId = page.items[0].id;
    return page.items[0].topic;
  },
  'GET /event/pull/{eventId}': async () => (await events.getEvent({ eventId: calls.eventId })).entityId,
};

(async () => {
  for (const [operation, call] of Object.entries(calls)) {
    let line;
    try {
      line = { operation, value: String(await call()) };
    } catch (error) {
      line = { operation, failure: `${error.name}: ${error.message} ${JSON.stringify(error).slice(0, 500)}` };
    }
    console.log(JSON.stringify(line));
  }
})();
