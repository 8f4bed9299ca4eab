/** Invented statements in the manner of two banks: version 2 without a prefix, and version 8 with one. */

export const VERSION_2 = `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">
  <BkToCstmrStmt>
    <GrpHdr><MsgId>20261118-0001</MsgId><CreDtTm>2026-11-18T01:00:00</CreDtTm></GrpHdr>
    <Stmt>
      <Id>STM-20261117</Id>
      <CreDtTm>2026-11-18T01:00:00</CreDtTm>
      <Acct><Id><Othr><Id>123-4-56789-0</Id></Othr></Id><Ccy>THB</Ccy></Acct>
      <Bal>
        <Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="THB">1000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-17</Dt></Dt>
      </Bal>
      <Bal>
        <Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="THB">3434.5</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-17</Dt></Dt>
      </Bal>
      <Ntry>
        <Amt Ccy="THB">1234.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
        <BookgDt><Dt>2026-11-17</Dt></BookgDt><ValDt><Dt>2026-11-18</Dt></ValDt>
        <AcctSvcrRef>FT26321A1</AcctSvcrRef>
        <NtryDtls><TxDtls>
          <Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>
          <RltdPties><Dbtr><Nm>Faculty of Science</Nm></Dbtr></RltdPties>
          <RmtInf><Ustrd>HPC fees R2026/000123</Ustrd><Ustrd>October &amp; November</Ustrd></RmtInf>
        </TxDtls></NtryDtls>
      </Ntry>
      <Ntry>
        <Amt Ccy="THB">1500.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
        <BookgDt><Dt>2026-11-17</Dt></BookgDt><AcctSvcrRef>FT26321B7</AcctSvcrRef>
        <NtryDtls>
          <Btch><NbOfTxs>2</NbOfTxs></Btch>
          <TxDtls>
            <Refs><AcctSvcrRef>FT26321B7-1</AcctSvcrRef><EndToEndId>R2026000124</EndToEndId></Refs>
            <AmtDtls><TxAmt><Amt Ccy="THB">500.00</Amt></TxAmt></AmtDtls>
            <RltdPties><Dbtr><Nm>Somchai J.</Nm></Dbtr></RltdPties>
          </TxDtls>
          <TxDtls>
            <Refs><EndToEndId>R2026000125</EndToEndId></Refs>
            <AmtDtls><TxAmt><Amt Ccy="THB">1000.00</Amt></TxAmt></AmtDtls>
            <RmtInf><Strd><CdtrRefInf><Ref>RF18R2026000125</Ref></CdtrRefInf></Strd></RmtInf>
          </TxDtls>
        </NtryDtls>
      </Ntry>
      <Ntry>
        <Amt Ccy="THB">300.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><RvslInd>true</RvslInd><Sts>BOOK</Sts>
        <BookgDt><DtTm>2026-11-17T16:20:00+07:00</DtTm></BookgDt><AddtlNtryInf>CHEQUE RETURNED</AddtlNtryInf>
      </Ntry>
      <Ntry>
        <Amt Ccy="THB">999.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts>
        <BookgDt><Dt>2026-11-18</Dt></BookgDt>
      </Ntry>
    </Stmt>
  </BkToCstmrStmt>
</Document>
`;

export const VERSION_8 = `<?xml version="1.0" encoding="UTF-8"?>
<!-- end of day -->
<n0:Document xmlns:n0="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><n0:BkToCstmrStmt><n0:GrpHdr><n0:MsgId>M1</n0:MsgId></n0:GrpHdr>
<n0:Stmt><n0:Id>1</n0:Id><n0:Acct><n0:Id><n0:IBAN>DE89 3704 0044 0532 0130 00</n0:IBAN></n0:Id></n0:Acct>
<n0:Bal><n0:Tp><n0:CdOrPrtry><n0:Cd>PRCD</n0:Cd></n0:CdOrPrtry></n0:Tp><n0:Amt Ccy="EUR">10</n0:Amt><n0:CdtDbtInd>DBIT</n0:CdtDbtInd></n0:Bal>
<n0:Bal><n0:Tp><n0:CdOrPrtry><n0:Cd>CLBD</n0:Cd></n0:CdOrPrtry></n0:Tp><n0:Amt Ccy="EUR">90.05</n0:Amt><n0:CdtDbtInd>CRDT</n0:CdtDbtInd></n0:Bal>
<n0:Ntry><n0:NtryRef>1</n0:NtryRef><n0:Amt Ccy="EUR">100.05</n0:Amt><n0:CdtDbtInd>CRDT</n0:CdtDbtInd><n0:Sts><n0:Cd>BOOK</n0:Cd></n0:Sts><n0:ValDt><n0:Dt>2026-11-16</n0:Dt></n0:ValDt>
<n0:NtryDtls><n0:TxDtls><n0:Amt Ccy="USD">110.00</n0:Amt><n0:CdtDbtInd>CRDT</n0:CdtDbtInd><n0:RltdPties><n0:Dbtr><n0:Pty><n0:Nm>Universität Zürich</n0:Nm></n0:Pty></n0:Dbtr></n0:RltdPties><n0:RmtInf><n0:Ustrd><![CDATA[R-2026-000200 <fees>]]></n0:Ustrd></n0:RmtInf></n0:TxDtls></n0:NtryDtls></n0:Ntry></n0:Stmt>
<n0:Stmt><n0:Id>2</n0:Id><n0:Acct><n0:Id><n0:IBAN>DE02 1203 0000 0000 2020 51</n0:IBAN></n0:Id></n0:Acct>
<n0:Ntry><n0:Amt Ccy="EUR">7.00</n0:Amt><n0:CdtDbtInd>DBIT</n0:CdtDbtInd><n0:Sts><n0:Cd>BOOK</n0:Cd></n0:Sts><n0:BookgDt><n0:Dt>2026-11-17</n0:Dt></n0:BookgDt><n0:NtryDtls><n0:TxDtls><n0:RltdPties><n0:Cdtr><n0:Pty><n0:Nm>Own bank</n0:Nm></n0:Pty></n0:Cdtr></n0:RltdPties><n0:AddtlTxInf>Account fee</n0:AddtlTxInf></n0:TxDtls></n0:NtryDtls></n0:Ntry>
<n0:Ntry><n0:Amt Ccy="EUR">1.00</n0:Amt><n0:CdtDbtInd>CRDT</n0:CdtDbtInd><n0:Sts><n0:Cd>INFO</n0:Cd></n0:Sts></n0:Ntry></n0:Stmt></n0:BkToCstmrStmt></n0:Document>`;
