/// Statements of the kinds that analysts write besides the reference's, each alone.
enum EPLTypical {
  static let modules: [(name: String, text: String)] = [
    (
      "join",
      """
      @Name('Output')
      select s.ipfix.sourceAddress as source, l.ipfix.HTTPRequestURL as url
      from IPFIX(ipfix.packetDeltaCount < 3).std:unique(ipfix.sourceAddress).win:time(10 sec) as s,
        IPFIX(ipfix.HTTPRequestURL like '%login%').win:time(10 sec) as l
      where s.ipfix.sourceAddress = l.ipfix.sourceAddress;
      """
    ),
    (
      "chain",
      """
      insert into Small
      select ipfix.sourceAddress as source, ipfix.destinationAddress as target, ipfix.octetDeltaCount * 8 as bits
      from IPFIX where ipfix.packetDeltaCount < 4;
      @Name('Output')
      select source, sum(bits) as bits, count(distinct target) as targets from Small.win:time_batch(10 sec)
      group by source having count(distinct target) > 16;
      """
    ),
    (
      "top",
      """
      @Name('Output')
      select ipfix.sourceAddress as source, sum(ipfix.octetDeltaCount) as bytes from IPFIX.win:time(1 min)
      group by ipfix.sourceAddress output snapshot every 10 sec order by sum(ipfix.octetDeltaCount) desc limit 10;
      """
    ),
    (
      "deviation",
      """
      @Name('Output')
      select ipfix.sourceAddress as source, avg(ipfix.octetDeltaCount) as average, stddev(ipfix.octetDeltaCount) as deviation
      from IPFIX.win:time(1 min) group by ipfix.sourceAddress
      having count(*) > 16 and stddev(ipfix.octetDeltaCount) > 10 * avg(ipfix.octetDeltaCount);
      """
    ),
    (
      "unique",
      """
      @Name('Output')
      select count(*) as sources from IPFIX.std:unique(ipfix.sourceAddress) output last every 10 sec;
      """
    ),
    (
      "table",
      """
      create table Totals (source address primary key, flows count(*), bytes sum(long));
      into table Totals select count(*) as flows, sum(ipfix.octetDeltaCount) as bytes from IPFIX group by ipfix.sourceAddress;
      @Name('Output')
      select ipfix.sourceAddress as source, Totals[ipfix.sourceAddress].flows as flows from IPFIX(ipfix.HTTPRequestURL like '%login%');
      """
    ),
    (
      "subquery",
      """
      insert into Scan select ipfix.sourceAddress as source from IPFIX.win:time_batch(10 sec)
      where ipfix.packetDeltaCount < 3 group by ipfix.sourceAddress having count(*) > 16;
      @Name('Output')
      select ipfix.sourceAddress as source, ipfix.HTTPRequestURL as url from IPFIX(ipfix.HTTPRequestURL not like '')
      where exists (select * from Scan.win:time(1 min) as s where s.source = ipfix.sourceAddress);
      """
    ),
    (
      "context",
      """
      create context PerSource partition by ipfix.sourceAddress from IPFIX;
      @Name('Output')
      context PerSource select context.key1 as source, count(*) as flows from IPFIX(ipfix.packetDeltaCount < 4).win:time_batch(10 sec)
      having count(*) > 16;
      """
    ),
    (
      "absence",
      """
      @Name('Output')
      select a.ipfix.sourceAddress as source
      from pattern [every a = IPFIX(ipfix.HTTPRequestURL like '%login%')
        -> (timer:interval(10 sec) and not b = IPFIX(ipfix.sourceAddress = a.ipfix.sourceAddress, ipfix.packetDeltaCount > 20))];
      """
    ),
    (
      "match-recognize",
      """
      @Name('Output')
      select * from IPFIX(ipfix.HTTPRequestURL not like '')
      match_recognize (
        partition by ipfix.sourceAddress
        measures A.ipfix.sourceAddress as source, count(B.ipfix.octetDeltaCount) as tries, C.ipfix.octetDeltaCount as bytes
        pattern (A B+ C)
        define A as A.ipfix.octetDeltaCount < 1000, B as B.ipfix.octetDeltaCount < 1000, C as C.ipfix.octetDeltaCount > 5000);
      """
    ),
    (
      "merge",
      """
      create window Hosts.std:unique(source) as (source address, flows long);
      on IPFIX as i merge Hosts as h where h.source = i.ipfix.sourceAddress
      when matched then update set flows = flows + 1
      when not matched then insert select i.ipfix.sourceAddress as source, 1L as flows;
      @Name('Output')
      on IPFIX(ipfix.HTTPRequestURL like '%login%') as l select h.source as source, h.flows as flows from Hosts as h
      where h.source = l.ipfix.sourceAddress;
      """
    ),
    ("sort", "@Name('Output') select irstream ipfix.sourceAddress as source from IPFIX.ext:sort(1000, ipfix.octetDeltaCount desc);"),
    (
      "rank",
      """
      @Name('Output')
      select irstream ipfix.sourceAddress as source from IPFIX.ext:rank(ipfix.sourceAddress, 1000, ipfix.octetDeltaCount desc);
      """
    ),
    (
      "time-order",
      "@Name('Output') select rstream ipfix.sourceAddress as source from IPFIX.ext:time_order(ipfix.flowEndMilliseconds, 1 min);"
    ),
    (
      "union",
      "@Name('Output') select rstream ipfix.sourceAddress as source from IPFIX.win:length(1000).win:time(10 sec) retain-union;"
    ),
    (
      "membership",
      """
      create window Small.win:time(1 min) as (source address);
      insert into Small select ipfix.sourceAddress as source from IPFIX(ipfix.packetDeltaCount < 4);
      @Name('Output')
      select ipfix.sourceAddress as source,
        (select count(*) from Small as s where s.source = h.ipfix.sourceAddress) as flows
      from IPFIX(ipfix.HTTPRequestURL not like '') as h
      where ipfix.destinationAddress not in (select s.source from Small as s);
      """
    ),
    (
      "previous",
      """
      @Name('Output')
      select ipfix.sourceAddress as source, ipfix.octetDeltaCount - prev(1, ipfix.octetDeltaCount) as change
      from IPFIX.win:time(1 min);
      """
    ),
    (
      "extremes",
      """
      @Name('Output')
      select min(ipfix.octetDeltaCount) as least, median(ipfix.octetDeltaCount) as middle,
        maxby(ipfix.octetDeltaCount).ipfix.sourceAddress as source from IPFIX.win:time(1 min);
      """
    ),
    (
      "initiated",
      """
      create context Scanner initiated by distinct(s.ipfix.sourceAddress) IPFIX(ipfix.packetDeltaCount < 3) as s terminated after 30 sec;
      @Name('Output')
      context Scanner select context.s.ipfix.sourceAddress as source, count(*) as flows
      from IPFIX(ipfix.sourceAddress = context.s.ipfix.sourceAddress) output last when terminated;
      """
    ),
  ]
}
