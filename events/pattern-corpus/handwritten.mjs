/** Cases written by hand: [what it shows, pattern, events…]. Patterns and events are JSON texts, so that the spelling of numbers is kept. */

const writes = `{"source":["kubernetes"],"detail-type":["Writes Counted"],"detail":{"object":{"group":["kafka.strimzi.io"],"resource":["kafkas"]},"phantoms":[{"numeric":[">=",3]}]}}`;
const counted = (group, resource, phantoms, type = 'Writes Counted') =>
  `{"version":"0","id":"5d1c","source":"kubernetes","detail-type":"${type}","account":"111122223333","time":"2026-11-20T02:27:54Z","region":"eu-west-1","resources":[],"detail":{"id":"0f4b","cluster":"prod","object":{"group":"${group}","version":"v1beta2","resource":"${resource}","namespace":"kafka","name":"my-cluster","generation":4},"window":{"seconds":60},"writes":12,"changes":0,"noops":0,"phantoms":${phantoms},"codes":{"200":12},"actors":[{"user":"system:serviceaccount:kafka:strimzi-cluster-operator","userAgent":"fabric8/6.13","verbs":["update"],"writes":12}],"shape":"churn"}}`;
const changed = (conditions, extra = '') =>
  `{"source":"kubernetes","detail-type":"Object Changed","detail":{"change":"modified","object":{"group":"apps.kubeblocks.io","resource":"opsrequests","name":"ops-1"},"changed":["/status/phase"],"phantom":false,"current":{"status":{"phase":"Running","conditions":${conditions}}${extra}}}}`;

export const handwritten = [
  // kubemend's own patterns
  ['a write storm on Kafka', writes, counted('kafka.strimzi.io', 'kafkas', 3), counted('kafka.strimzi.io', 'kafkas', 12), counted('kafka.strimzi.io', 'kafkas', 2), counted('kafka.strimzi.io', 'kafkatopics', 3), counted('apps', 'kafkas', 3), counted('kafka.strimzi.io', 'kafkas', 3, 'Object Changed'), '{}'],
  ['release secrets of one family', `{"detail":{"family":[{"prefix":"sh.helm.release.v1."}],"object":{"resource":["secrets"],"group":[""]},"changes":[{"numeric":[">=",4]}]}}`, '{"detail":{"family":"sh.helm.release.v1.web.v*","object":{"resource":"secrets","group":""},"changes":4}}', '{"detail":{"family":"sh.helm.release.v1.web.v*","object":{"resource":"secrets","group":""},"changes":3}}', '{"detail":{"object":{"resource":"secrets","group":""},"changes":9}}'],
  ['a condition holds in one element', `{"detail":{"current":{"status":{"conditions":{"type":["Ready"],"status":["False"]}}}}}`, changed('[{"type":"Ready","status":"False"}]'), changed('[{"type":"Ready","status":"True"},{"type":"Warning","status":"False"}]'), changed('[{"type":"Warning","status":"True"},{"type":"Ready","status":"False"}]'), changed('[]'), changed('{"type":"Ready","status":"False"}')],
  ['a phase or a missing field', `{"detail":{"current":{"status":{"phase":["Running"]},"spec":{"timeoutSeconds":[{"exists":false}]}}}}`, changed('[]'), changed('[]', ',"spec":{"timeoutSeconds":60}'), changed('[]', ',"spec":{"timeoutSeconds":null}'), changed('[]', ',"spec":{"timeoutSeconds":[]}')],
  ['changed names a pointer', `{"detail":{"changed":[{"prefix":"/status/"}],"phantom":[false]}}`, changed('[]'), '{"detail":{"changed":[],"phantom":false}}', '{"detail":{"changed":["/spec/replicas","/status/phase"],"phantom":false}}', '{"detail":{"changed":["/status/phase"],"phantom":true}}'],
  ['either of two operators', `{"source":["kubernetes"],"$or":[{"detail":{"object":{"group":["kafka.strimzi.io"]}}},{"detail":{"object":{"group":["apps.kubeblocks.io"]},"current":{"status":{"phase":["Running"]}}}}]}`, counted('kafka.strimzi.io', 'kafkas', 0), counted('apps', 'deployments', 0), changed('[]')],
  ['a label with dots and a slash', `{"labels":{"strimzi.io/cluster":["my"]}}`, '{"labels":{"strimzi.io/cluster":"my"}}', '{"labels":{"strimzi.io/cluster":"other"}}', '{"labels":{"strimzi":{"io/cluster":"my"}}}'],
  ['dots join keys', `{"detail":{"state.code":["a"]}}`, '{"detail":{"state":{"code":"a"}}}', '{"detail.state":{"code":"a"}}', '{"detail":{"state.code":"a"}}', '{"detail":{"code":"a"}}'],

  // numbers
  ['one number, many spellings', '{"n":[1]}', '{"n":1}', '{"n":1.0}', '{"n":1e0}', '{"n":10e-1}', '{"n":"1"}', '{"n":true}', '{"n":1.5}', '{"n":[2,1.00]}', '{"n":-1}'],
  ['a spelled pattern', '{"n":[3.0e2]}', '{"n":300}', '{"n":300.0}', '{"n":"3.0e2"}', '{"n":3e2}', '{"n":301}'],
  ['zero has no sign', '{"n":[0]}', '{"n":-0}', '{"n":0.0}', '{"n":-0.0}', '{"n":0e7}', '{"n":null}', '{"n":false}', '{"n":""}'],
  ['zero as a bound', '{"n":[{"numeric":[">=",0]}]}', '{"n":-0.0}', '{"n":-0.000001}', '{"n":0}'],
  ['open and closed bounds', '{"n":[{"numeric":[">",0,"<=",5]}]}', '{"n":0}', '{"n":0.0001}', '{"n":5}', '{"n":5.0}', '{"n":5.000001}', '{"n":"3"}', '{"n":[]}', '{"n":[7,3]}'],
  ['closed then open bounds', '{"n":[{"numeric":[">=",-1.5,"<",2]}]}', '{"n":-1.5}', '{"n":2}', '{"n":1.999}', '{"n":-2}'],
  ['a number and a text', '{"n":[1,"1"]}', '{"n":1}', '{"n":"1"}', '{"n":"1.0"}', '{"n":[]}'],
  ['a number and a prefix', '{"n":[5,{"prefix":"5"}]}', '{"n":5}', '{"n":50}', '{"n":"50"}', '{"n":"5"}'],
  ['an account number is exact', '{"account":[111122223333]}', '{"account":111122223333}', '{"account":"111122223333"}', '{"account":111122223334}'],
  ['anything but a number', '{"n":[{"anything-but":1}]}', '{"n":1}', '{"n":1.0}', '{"n":2}', '{"n":"1"}', '{"n":null}', '{}', '{"n":[]}', '{"n":[1,2]}', '{"n":[1,1.0]}', '{"n":{}}'],
  ['anything but some numbers', '{"n":[{"anything-but":[1,2.5]}]}', '{"n":25e-1}', '{"n":2}', '{"n":true}'],

  // null, booleans, empty texts, empty lists
  ['null is a value', '{"a":[null]}', '{"a":null}', '{"a":"null"}', '{"a":false}', '{"a":[]}', '{"a":[null]}', '{}', '{"a":{}}'],
  ['null exists', '{"a":[{"exists":true}]}', '{"a":null}', '{"a":[]}', '{"a":{}}', '{"a":[[]]}', '{"a":""}', '{"a":false}', '{}', '{"a":[null]}', '{"a":{"b":1}}'],
  ['absence', '{"a":[{"exists":false}]}', '{"a":null}', '{"a":[]}', '{"a":{}}', '{"a":{"b":1}}', '{"b":1}', '{}', '{"a":[[]]}', '{"a":0}'],
  ['absent or a value', '{"a":[{"exists":false},"x"]}', '{"a":"x"}', '{"a":"y"}', '{}', '{"a":[]}', '{"a":["y","x"]}'],
  ['true is not a text', '{"a":[true]}', '{"a":true}', '{"a":"true"}', '{"a":1}', '{"a":false}', '{"a":[false,true]}'],
  ['an empty text', '{"a":[""]}', '{"a":""}', '{"a":" "}', '{"a":null}', '{"a":[]}', '{}'],
  ['an empty prefix is any text', '{"a":[{"prefix":""}]}', '{"a":""}', '{"a":"x"}', '{"a":1}', '{"a":null}', '{}'],
  ['an empty suffix is any text', '{"a":[{"suffix":""}]}', '{"a":""}', '{"a":"x"}', '{"a":1}', '{"a":[]}'],
  ['anything but the empty text', '{"a":[{"anything-but":""}]}', '{"a":""}', '{"a":"x"}', '{"a":null}', '{}'],
  ['the same value twice', '{"a":["x","x"]}', '{"a":"x"}', '{"a":["x","x"]}', '{"a":"y"}'],

  // texts
  ['case counts', '{"a":["Kafka"]}', '{"a":"Kafka"}', '{"a":"kafka"}'],
  ['case does not count', '{"a":[{"equals-ignore-case":"KaFka"}]}', '{"a":"kAFKA"}', '{"a":"kafkas"}', '{"a":"kafka"}', '{"a":["x","KAFKA"]}', '{"a":1}'],
  ['case beyond ASCII', '{"a":[{"equals-ignore-case":"GrÜn"}]}', '{"a":"grün"}', '{"a":"GRÜN"}', '{"a":"grun"}'],
  ['sharp s', '{"a":[{"equals-ignore-case":"straße"}]}', '{"a":"STRASSE"}', '{"a":"straße"}', '{"a":"strasse"}', '{"a":"STRAßE"}'],
  ['double s', '{"a":[{"equals-ignore-case":"strasse"}]}', '{"a":"STRASSE"}', '{"a":"straße"}'],
  ['the Kelvin sign', '{"a":[{"equals-ignore-case":"\u212a"}]}', '{"a":"k"}', '{"a":"K"}', '{"a":"\u212a"}'],
  ['a plain k', '{"a":[{"equals-ignore-case":"k"}]}', '{"a":"k"}', '{"a":"K"}', '{"a":"\u212a"}'],
  ['Turkish i', '{"a":[{"equals-ignore-case":"İ"}]}', '{"a":"İ"}', '{"a":"i"}', '{"a":"i̇"}', '{"a":"I"}'],
  ['final sigma', '{"a":[{"equals-ignore-case":"ΣΑΣ"}]}', '{"a":"σασ"}', '{"a":"σας"}', '{"a":"ΣΑΣ"}'],
  ['prefix ignoring case', '{"a":[{"prefix":{"equals-ignore-case":"Kaf"}}]}', '{"a":"KAFKA"}', '{"a":"kaf"}', '{"a":"ka"}', '{"a":"xkaf"}'],
  ['suffix ignoring case', '{"a":[{"suffix":{"equals-ignore-case":".PNG"}}]}', '{"a":"x.png"}', '{"a":".Png"}', '{"a":"xpng"}'],
  ['suffix ignoring case beyond ASCII', '{"a":[{"suffix":{"equals-ignore-case":"ÜN"}}]}', '{"a":"grün"}', '{"a":"GRÜN"}', '{"a":"grun"}'],
  ['escapes are the same text', '{"a":["\\u00fc\\n\\"\\\\"]}', '{"a":"ü\\n\\"\\\\"}', '{"a":"ü\\n\\"\\\\\\\\"}'],
  ['accents are not normalised', '{"a":["é"]}', '{"a":"\\u00e9"}', '{"a":"e\\u0301"}'],
  ['quotes in a prefix', '{"a":[{"prefix":"say \\""}]}', '{"a":"say \\"hi\\""}', '{"a":"say "}', '{"a":"say hi"}'],
  ['quotes in a suffix', '{"a":[{"suffix":"\\"hi"}]}', '{"a":"say \\"hi"}', '{"a":"hi"}', '{"a":"xhi"}'],

  // wildcards
  ['a wildcard in the middle', '{"a":[{"wildcard":"sh.helm.*.v4"}]}', '{"a":"sh.helm.release.v1.web.v4"}', '{"a":"sh.helm.v4"}', '{"a":"sh.helm..v4"}', '{"a":"sh.helm.x.v41"}'],
  ['a wildcard takes nothing', '{"a":[{"wildcard":"*kafka*"}]}', '{"a":"kafka"}', '{"a":"my-kafka-0"}', '{"a":"kafk"}', '{"a":1}', '{"a":null}'],
  ['any text', '{"a":[{"wildcard":"*"}]}', '{"a":""}', '{"a":"x\\ny"}', '{"a":1}', '{"a":[]}', '{}'],
  ['parts do not overlap', '{"a":[{"wildcard":"ab*ba"}]}', '{"a":"aba"}', '{"a":"abba"}', '{"a":"abxba"}'],
  ['parts are looked for again', '{"a":[{"wildcard":"*ab*ac"}]}', '{"a":"abab-ac"}', '{"a":"abac"}', '{"a":"aac"}', '{"a":"abacab"}'],
  ['an escaped asterisk', '{"a":[{"wildcard":"a\\\\**"}]}', '{"a":"a*"}', '{"a":"a*b"}', '{"a":"ab"}'],
  ['an escaped backslash', '{"a":[{"wildcard":"a\\\\\\\\*"}]}', '{"a":"a\\\\b"}', '{"a":"a\\\\"}', '{"a":"a*"}'],
  ['dots are literal', '{"a":[{"wildcard":"a.c*"}]}', '{"a":"a.c"}', '{"a":"abc"}'],
  ['emoji in a wildcard', '{"a":[{"wildcard":"🙂*é"}]}', '{"a":"🙂 caf\\u00e9"}', '{"a":"🙂"}', '{"a":"🙂é"}'],

  // anything-but
  ['anything but needs the field', '{"a":[{"anything-but":"x"}]}', '{}', '{"a":[]}', '{"a":"x"}', '{"a":"y"}', '{"a":1}', '{"a":null}', '{"a":["x"]}', '{"a":["x","y"]}', '{"a":{"b":"y"}}'],
  ['anything but a list', '{"a":[{"anything-but":["x","y"]}]}', '{"a":"x"}', '{"a":"y"}', '{"a":"z"}', '{"a":["x","y"]}', '{"a":["x","z"]}'],
  ['anything but a prefix', '{"a":[{"anything-but":{"prefix":"init"}}]}', '{"a":"initializing"}', '{"a":"ini"}', '{"a":5}', '{}'],
  ['anything but some prefixes', '{"a":[{"anything-but":{"prefix":["a","b"]}}]}', '{"a":"ax"}', '{"a":"bx"}', '{"a":"cx"}', '{"a":""}'],
  ['anything but a suffix', '{"a":[{"anything-but":{"suffix":[".png",".jpg"]}}]}', '{"a":"x.png"}', '{"a":"x.jpg"}', '{"a":"x.gif"}', '{"a":null}'],
  ['anything but ignoring case', '{"a":[{"anything-but":{"equals-ignore-case":["Ready","failed"]}}]}', '{"a":"READY"}', '{"a":"Failed"}', '{"a":"Pending"}', '{"a":true}'],
  ['anything but a wildcard', '{"a":[{"anything-but":{"wildcard":["*/tmp/*","x*"]}}]}', '{"a":"/tmp/a"}', '{"a":"xa"}', '{"a":"/var/a"}', '{"a":3}'],
  ['anything but, or', '{"a":[{"anything-but":"x"},"x"]}', '{"a":"x"}', '{"a":"y"}', '{}'],
  ['anything but an address is a text', '{"a":[{"anything-but":"::1"}]}', '{"a":"::1"}', '{"a":"0:0:0:0:0:0:0:1"}'],

  // addresses
  ['a block', '{"a":[{"cidr":"10.0.0.0/24"}]}', '{"a":"10.0.0.0"}', '{"a":"10.0.0.255"}', '{"a":"10.0.1.0"}', '{"a":"9.255.255.255"}', '{"a":"10.0.0"}', '{"a":"10.0.0.1/32"}', '{"a":["x","10.0.0.7"]}', '{"a":null}'],
  ['a block with host bits', '{"a":[{"cidr":"10.0.0.77/24"}]}', '{"a":"10.0.0.1"}', '{"a":"10.0.0.200"}', '{"a":"10.0.1.1"}'],
  ['an odd mask', '{"a":[{"cidr":"192.168.5.0/21"}]}', '{"a":"192.168.0.0"}', '{"a":"192.168.7.255"}', '{"a":"192.168.8.0"}'],
  ['a block of IPv6', '{"a":[{"cidr":"2001:db8::/33"}]}', '{"a":"2001:db8::1"}', '{"a":"2001:DB8:7fff::"}', '{"a":"2001:db8:8000::"}', '{"a":"10.0.0.1"}'],
  ['an address is not only its text', '{"a":["::1"]}', '{"a":"::1"}', '{"a":"0:0:0:0:0:0:0:1"}', '{"a":"0000:0000::0001"}', '{"a":"::2"}'],
  ['an address that ends in F', '{"a":["2001:db8::f"]}', '{"a":"2001:DB8::F"}', '{"a":"2001:db8::e"}', '{"a":"2001:db8:0::f"}'],
  ['leading zeros are decimal', '{"a":["10.0.0.8"]}', '{"a":"10.0.0.8"}', '{"a":"10.0.0.08"}', '{"a":"10.0.0.010"}', '{"a":"010.0.0.8"}'],
  ['IPv4 inside IPv6', '{"a":[{"cidr":"10.0.0.0/8"}]}', '{"a":"::ffff:a00:1"}', '{"a":"::ffff:10.0.0.1"}', '{"a":"::a00:1"}'],
  ['an address and a prefix', '{"a":["10.0.0.1",{"prefix":"10.1."}]}', '{"a":"10.0.0.1"}', '{"a":"10.1.9.9"}', '{"a":"10.2.0.0"}'],
  ['not quite an address', '{"a":["12:34","1.2.3"]}', '{"a":"12:34"}', '{"a":"1.2.3"}', '{"a":"12:034"}'],

  // arrays
  ['two fields, one element', '{"pods":{"name":["a"],"ready":[true]}}', '{"pods":[{"name":"a","ready":true}]}', '{"pods":[{"name":"a","ready":false},{"name":"b","ready":true}]}', '{"pods":[{"name":"b","ready":true},{"name":"a","ready":true}]}', '{"pods":[]}', '{"pods":{"name":["b","a"],"ready":[false,true]}}'],
  ['two arrays are independent', '{"a":{"x":[1]},"b":{"y":[2]}}', '{"a":[{"x":1},{"x":3}],"b":[{"y":1},{"y":2}]}', '{"a":[{"x":1}],"b":[{"y":1}]}'],
  ['an array in an array', '{"pods":{"name":["a"],"containers":{"name":["c"],"ready":[false]}}}', '{"pods":[{"name":"a","containers":[{"name":"b","ready":false},{"name":"c","ready":false}]}]}', '{"pods":[{"name":"a","containers":[{"name":"b","ready":false},{"name":"c","ready":true}]}]}', '{"pods":[{"name":"a","containers":[{"name":"c","ready":true}]},{"name":"b","containers":[{"name":"c","ready":false}]}]}'],
  ['values of one array are alternatives', '{"tags":["a"],"n":[1]}', '{"tags":["b","a"],"n":[2,1]}', '{"tags":[["b"],["a"]],"n":1}', '{"tags":[],"n":1}', '{"tags":[{"x":"a"}],"n":1}'],
  ['absence below an array', '{"pods":{"name":["a"],"reason":[{"exists":false}]}}', '{"pods":[{"name":"a"},{"name":"b","reason":"x"}]}', '{"pods":[{"name":"a","reason":"x"},{"name":"b"}]}', '{"pods":[{"name":"a","reason":"x"},{"name":"a"}]}', '{"pods":[{"name":"a"}]}'],
  ['absence asked before its neighbours', '{"pods":{"a":[{"exists":false}],"name":["x"]}}', '{"pods":[{"name":"x"},{"name":"y","a":1}]}', '{"pods":[{"name":"x"},{"name":"y"}]}', '{"pods":[{"name":"x","a":1}]}'],
  ['an object and texts in one array', '{"a":{"b":[1]}}', '{"a":["x",{"b":1}]}', '{"a":["x"]}', '{"a":[[{"b":1}]]}', '{"a":[[{"b":2}],[[{"b":1}]]]}'],

  ['texts of an array are in no element', '{"a":["x"],"a.b":[1]}', '{"a":["x",{"b":1}]}', '{"a":[["x"],{"b":1}]}', '{"a":[["x",{"b":1}]]}', '{"a":["x",{"b":2}]}'],

  // $or
  ['one of two', '{"$or":[{"a":[1]},{"b":[2]}]}', '{"a":1}', '{"b":2}', '{"a":2,"b":1}', '{"a":1,"b":2}', '{}'],
  ['and one of two', '{"c":["x"],"$or":[{"a":[1]},{"b":[2]}]}', '{"a":1,"c":"x"}', '{"a":1,"c":"y"}', '{"b":2,"c":"x"}', '{"c":"x"}'],
  ['inside an object', '{"d":{"$or":[{"a":[1]},{"b":{"c":[2]}}],"e":[3]}}', '{"d":{"a":1,"e":3}}', '{"d":{"b":{"c":2},"e":3}}', '{"d":{"a":1}}', '{"a":1,"d":{"e":3}}'],
  ['inside another', '{"$or":[{"a":[1]},{"$or":[{"b":[2]},{"c":[3]}],"d":[4]}]}', '{"a":1}', '{"b":2}', '{"b":2,"d":4}', '{"c":3,"d":4}', '{"d":4}'],
  ['the later key wins', '{"$or":[{"a":[1]},{"b":[2]}],"a":[3]}', '{"a":3}', '{"a":1}', '{"a":3,"b":2}', '{"b":2}'],
  ['a branch wins over an earlier key', '{"a":[3],"$or":[{"a":[1]},{"b":[2]}]}', '{"a":3}', '{"a":1}', '{"a":3,"b":2}', '{"a":1,"b":2}'],
  ['within one element', '{"pods":{"$or":[{"name":["a"]},{"phase":["x"]}],"ready":[false]}}', '{"pods":[{"name":"a","ready":false}]}', '{"pods":[{"name":"a","ready":true},{"name":"b","ready":false}]}', '{"pods":[{"phase":"x","ready":false}]}'],
  ['absence as a branch', '{"$or":[{"a":[{"exists":false}]},{"a":[{"numeric":["<",3]}]}]}', '{}', '{"a":2}', '{"a":3}', '{"a":"2"}'],

  // where we differ on purpose: see differences.json
  ['differs: a wildcard before another test', '{"a":[{"wildcard":"*/b/*"},{"equals-ignore-case":"abc"}]}', '{"a":"xbc"}'],
  ['differs: a branch that shares a test with an earlier one', '{"$or":[{"a":["x"]},{"a":["x","y"]}]}', '{"a":"y"}'],
  ['differs: emoji ignoring case', '{"a":[{"equals-ignore-case":"🙂"}]}', '{"a":"🙂"}'],
  ['differs: an IPv6 address in an IPv4 block', '{"a":[{"cidr":"10.0.0.0/8"}]}', '{"a":"a00::1"}'],
  ['differs: a number in a block', '{"a":[{"cidr":"0.0.0.0/0"}]}', '{"a":5}'],
  ['differs: integers beyond 2^53', '{"a":[9007199254740992]}', '{"a":9007199254740993}'],
];
