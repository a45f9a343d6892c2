"""Prime numbers of 1024 bits, found beforehand: what makes an RSA-2048 key in a simulated world take no time.

Looking for two primes costs Python half a second a key, and `kubeadm init` makes sixteen.  Keys of a simulated world protect nothing, so
a world draws pairs from these: `scripts/find_primes.py` finds them again, from nothing but SHA-256 of a counter.
"""

from __future__ import annotations

import base64
from functools import lru_cache

BYTES = 128

#: The primes, big-endian, one after the other, in base 85.
_TABLE = (
    "!Z={@D?BF%Ez{dUs{3rX3!SjFt$(Ga8W^|Us;Kiu9fZ}6q8<PAQp~x&MZe>DT__$7@-^=NVi=n@mrG4+tMUm$tQPLL3;7-|@Y^@qzt+;Mq7F&~x`xvM*+F"
    "%AjU?9eAmZ2!08R&k4~yqm(DcoS3P2nQG~D22;jZGr%SWPOWE%!HMG|bx%d<1c+6bC^R?p%v_Ek=C$`~gb4^~kGm3^^B?Rf!Nl&Y503me>Yf`)1gWvQR{M"
    "djb`4HCXL@4@wGL0p=!LKOV!2lefSac!nXvgmge=9ZZ2n~9?84Oh)6Lq}C?Nmy8sM^T@k*{S}NS>tiaUSgqt;IF(Kn1l&OJDKnnT2Ib(dL`>S`$i}l?Nb8"
    "?SKELd^Q`iQN!^JgdcWuKDJv$xIs+(i!>S^Xh=6R#39}4ME$$B_*o(M}RUWBVclAXkC{I<qgtr0TZTkhow}eH`4sZ>%n?96Z*C?Drx4v}oaF$zYb8Q@-H9"
    "rGsg*~Q6;5HAM^BK9M!D2r<JI|8tVB)Y>VlnV(n8Q-&_PxT|8jUZiYaH2KDRAW2noS`YV0g(u@Si4V;Pl0i@f?blu2onj!S%6mSyS7NVgzsLk|#U2<sRI^"
    "4d_$9fRou$2xZU~=bKNfJ%pQrHtOD+5TX`+%k52jxj4u6wp9ri@;A%=W7frhy`YK>`z)<n#!4W)Wn@@uidL<uH9s*SSm}xs?(^v^qx<!#mJ83P(IeuP&$G"
    "l1=uCAop;P$id$w&;#7}j7%f$Z*XkNwC-Kq{5(abQm_vVG1y}CJQz6XKL@b%JC`m3KjIm8glC5}Hk2%KKoz3W9EM;U<^`=^kN&<51Z@Tqfx4!x(nAII(Ux"
    "e2cYiZ!cGTTfol8@5`y>AcW9f5e}~Rn_L7Zuayz@7Sl#QTzWcoH&|KbQZm<Q<x(7tk|MS9|DK)LJJcNogJ!TqZg0`+Hor3I4l{-Op$-KFgo&csx_@<aazx"
    "1N6=$1h~m-O*+cZN+<jkdze=c0h)wEWQ)0E9@e8?2puh4k)Dq@z=c9cE$4U^@ly>fs&BPn<5Bui(eeCz2F2JuXQ2o=Ks=cj7*)B}JmDi8|!_U0<)Wse8p+"
    "_lHX*ng(I>KS-q8g%21i{<~1VNpqis<&evl^KPmJ*uPbvg3ExH@5qaWVag^rE}E)e+`NV3Q(46B{#<2L}h~Ht6o+T2hkK9|{d38NoQ!e=Id6338W`w?iDc"
    "G6C&k@N8F@)1*~yl)<AXLg2W8`a7uXUSrh-c8}IB^V>^`YY2CTWRBmz=U+FrKh(Tho6R-Td1xkx$n46#)|aTGth_!Fy}l*4i;N?)&{B6V<GVU<AyQ5$qkF"
    "vcLhmyvTr!;$BjiY%PEjAxY;SIB0smG}T^1taVSV=jp)L37?)V~2zl%($GMpCgigxrxWj-o;=iu_vOsmiNVF8vM92E12?3@W=r)%2H;gk@e;0~Xk$r-rf7"
    "m4=EiMP3Xa7kr;#Xc-6D6|7vz~{DL2;2{-rxJXCpYfr`9Y3BV!~~1SPW6ZUjYC>4w$I__%TPFyP*O=d5fN%nWw5rIQN~<jO=?o{$pBl*9K6Dz<6XPxBJA3"
    "5lw->Vidz|s^Q7DN#jYDEckM-r_599J-h<A`PbN~MR4s++0Z(M2+nFRkyl8RZ*Gv<u*HY(HXidZsY#-7up}`6-dwyQ*a+2%G7ss-A2vMc)8uJ8@Xgrz+;o"
    "CmI_`KV{^2w*XS8L^Dqq9CRm+PeJ=EwO}MwwjyBy!=*E;}PNlCxJpJDUfAWnAt-Idwtfwsl$PpH|-vQ)ADiLlyYJR4*m#@&E`W^V+hn7fV+y_-f%Tg}s(9"
    "BplxGtmw7d!jB-CdbHt0P>5=x7uSblBJDH1o6VH>GmyJV8JTl26g$bH$vIvj-%A)YXbVlWN=fRdA9~8DJ{WiRMiw-|TH>)wplS!8c1nR|K`yRv&KvNp-*q"
    "Zxv?6i0TT}v}cUollho;TbS$U}Pk@i1F`Bh__LVDa@z?+DDtF{_I%C>v2StWW)e0t@$R*q`};ka?^pmI4!w<pN43prj=1)+UA)-$oMPj85>0lHv@b-+&3M"
    "DIZgMuos;AEb2bObc5YD3RLDjlb?*s@wK(0y5bRGccnNeuyLf=T9Q04X`y9+X?G30{bBRc<p#$+rrJ3g*Nd?cqRZv%1|dQ`s0(ik*7FHRxiL9Rkg!S9&Tv"
    "+wPbxC3Y09bI1WJP`5@oZy668zbA+idKrG)Vk0bn9<<kv*JSG}3MR4=xckGs-ja^;Mrr1)0PnXCi!=2!jo<`;pR#fH|9wq9J54Wrn4Ds|-MUtFh@`Vj=*p"
    "z*IJxf9<xEiW3FjXky6K<vINfN5WFYT)FQ0~3~@lPZ{cPTv;n2=D~z+-Q)6jOEs*iK^KkxpjBoUeJTG+Ib!?IWJ!%5az4sM?Ric=q%W<cI>H5=ST<Hl+qe"
    "cdg$9C+3yesID-I^!OvdF}Ln`k~Mf+2inM~%pNQC-dJI%@x2)i4GUHYDArikt}V&2wEXSd7qIC`e3E$>B2bmYyJSc~WRYh`TP?m77vJgyK(6hJx9}Snzt8"
    "6~h(LKWC{-(Jc>TCjFsX-woEKi}f&VDS31_cG!vBvyBt+2+!gv2dO9VlrE%^PPWYr&9g_PlahEQdnABPqR<dq9vd5jB4T{$f4_*pDR!XNU@j^l~Nl*j_cM"
    "nRNUu>qW69x++g2O39kC8q<iu11u4Sd5pMxVvD#7eSXT$-xhn1F$_cY&y0g{;{eY)_}C!B8)e60#^i2J{OK?%a~H5o{$G|1s@&y+kQEl6^7|BArzGhEBOE"
    "yU)YVw-NVuBD_8d$-QT8@4|`Cy`|CA^jaM1g8OOBll_Ss!GujoP8vs#T6arC?JO`02lKzcHYbnT1)E|aGK0uFN`Y4>Og_e*?pf<rFj;(<Dm%xFkY)a%9T9"
    "(i5JF@wauEVt`89=dS0a_N6?7P?$V6sR~xo!f!DyB_^L1Nb#&0Pj@4|ypJtwK}KAZ~Yy=*XJZokMT@JG`i_@e$z+H}2-WUX?Fbw$S*Zzna~__D`Br2fw7G"
    "f!vnSD1mYFwrapqOu{}hB!5W@zuu=49qqVrVR+gFG@m_g+sV9dx{xUFPor=w%u>DQ&tP7qdV?waFua0h12qa|yY81+)nrevp#&)#OIG$?rlC+6$7-mN>Mc"
    "3G#%^@i+Ub7)tp9SD$N*;7IM@p@m|I!jiHjsoRjpS|Od$158k$^fSOG5_O!~hIp_o6vA@T4dxZ8A`d-Bt_PD%D?2BjOjF+#kTLDPhK@v|cz!51q07o;d@D"
    "hbF%zD#D@_yG%@{H0b{I{N~Q>E3>pu4V#=uA$iiAbuvd;==~ZF0L&{a1O#w7B!L75y)dSj(9tWs9xIWzJmKbfPDlUcqM}A&r*BY&Df~)d=4?_ud^VUr_Kz"
    "bb7sxnX>QU%o7Wj|e{y9y2I9K-5ZoI?ZG@`~l&IHkhq8jnM`qqQCSnP5|L*enaeEtM1pn1~5wCct^nKyv+}>G+HUslaTOf_bt@Op<{cM^El&7JG<!tE5xA"
    "{XMPuH#(M(o7Rbx1d<^}tPfU~(5cxPt%qx%94y2X29R_3P4l|392|3vD(Dm3P>kXHS96l7JEwz&O|41e51|wbU?>#deAO3qg9%%M8ECJKeJYq4NkXXhdH%"
    "oyzCghXObYm;8zcuXkwo>rC!GX!ZqskfT^%II*5Sn<Gu!X3(3OyVb2%mh+>?g7^bPJH|(G;*W&XYkhThX{F+Yu2mBo<Wx@@bjZCqaAY+Y)XvltIB;A&oaB"
    "nNaU*nLQ?x_{d2Kf6C`x6$&qvSK2yW5+HDoB-z$sArdB;0x5Fo3JLxD41)0iUK#1hu{lY$F;A`DlyyVG#0{d*JGesB4<-Rpe&H?Qs<p*10an8xIQoIssyt"
    "9$P&0Pt`u@DpKLA4R*hT#F`ZIiVXI5`d#nv9#NKWwgf+8>m{v6d=OG@4Bz)%V-vr-!V8+Mu%Mpq%~>Iv2_Qq4}Bt|a<(xl0DrFnxVY_(p--9t)h4-RQA5I"
    "K#|v}k7e13nQ6Rb7TDe?xQ@~F4CluWfM$_jlGMN8b0pTk|<33u-UT$AkaoFq!t2-eV$~&w<>PO8-@jtQau}+C`%W_eSn@pZ{YlN=rw?UUZ`n=+p^wqVuV9"
    "^!;{vo9b=^Zj^J8iVS@8?9I!7)CFr07xmKeDK{JBArKZ!^g<I?o|AD70=6`M9x`OnoQ%e_Jlc(j2TcK0GI*bLkg{>{kyJ<Hv!|Q`<dH1DRobzgQa2XbF!X"
    "32+U2yEye_h)rs<?gLRT&$bA!ys1C+!abBseRVHYZ_$}`U!<-rM}GPB7h+wDUACm|?A=cuIx4LOs|Eov53N<qYrXrgtEvfZ^-HK)S!A4uuSCSnpzFLG;+*"
    "HRbt%ARquZtr+d`xkcCSpaKNdDO9?6C~0_?O*>|8lZhZ<Yk*nfKZ9u0NE!va<q*n^E<7cUk6%QzT4?JQTN5=wWs>i6Vs-g=AXQ2G*qhm%5SwV{5G0dqT$Z"
    "V*lAYG_0;OcK<x=u6X;^htPM%BLxE?U&X!P3d^NP2Z$OFLKuY10Fe;FL<*am&8IH#dBpfe9)JEHDKbcRt&lWk5s8;=zk6~f)z((70fagN{se)d<FNd$-5L"
    "%jHuP<={7%gQY2g8;RN)Ri=-fhtDnnTm4}r!Wn&gpC6cquZuo|I+2L{F;*y^uu~R#rt^qr%7@0qtA`!MWz(ps}XG<K3_faKzV>3U!5;;=*omken>L+Au%l"
    "BU`-)%wL%L=S$trp=={?k<lnG(X{GFr3Qz!y$w<t;<JA{eTQ3CGo<d=vSFRjht$^DrBA158&*5<`vBU>f^Nh(|F=>1^`-7t8E3Bv7q^fyM%0J|u{)c_r#P"
    "$9Rh5;N(j^FlJ3?+`@{}<r0*UO}~k>8Pt)D)Tfx+_!h(x^eUJX9B;&0vEpv3^(}{~J=kuDNdXJLxa_Q7@8d0JQ5+B3NygsP=HzFzc(bp7lVt1FR;`m2b!H"
    "nPc;gCy&dKofIwg>OEho8FfR>A%+X1F-khe$6y~4h5ds>AzKrB0dMSKr1HW652)Mgx`SCX)3CJ4AL?5d44spc^}oc4?;bsh0}hEG<`<G$P_vZP|CeGmb?-"
    "fdTr&_VN7d~m8i^+PBH*H%YJ)A-Iu1Xs2&ztu|Z*aO*FUG6|(uUP)z<wt@bo@q?wO0(mTP+l~Q;7T3Sa#PT|nt4#!V~TL`fx(L>9G|fTfPAXcj=+C7b!@4"
    "pm*2|$Fj7R4U`P8Q;s|{oXJO9jDeW^qVYT1t*t>IEdW6RD_rcfG{AA9ZpUtc)_m?hlh|j?qV7uS^?2f_0UWTI_XtLVnZ?Xs?q@zQq5Y`Lk5`u6(Xr(RJSt"
    "&s!ozfeNSr~=J<=G{&t6r_0Xq>v&f`6grXmySQul@fv<@<#)zAf)8C{FKVEQcpiHZ_Z7J<`^9e^&KjaB7QztdgdIz?mTNX!@F^xV?*Xn{TQj&HA{HOpMg9"
    "f`P9<W$2+MG6|w_zi?riX||gRQEZezvTo3}lZ;I~hP^!C@AP{Ecyx`2%0{Lo%5B?JgSXb!9dtoUGo(?%%kM4TRMmeTgV~-!3P>+KHv~pM99;`cYtnLd)DR"
    "Iy2~iBkM-M#*`S1U?UHK3d+0^NeE(v+DX)M}`Rn?HaJo8p#=Rn9iGzq@sESOLcbu}z>c2K3gdTcqrNIrlU|26)~#hk1`yZHp@zqvW#KD5baG-MC0U5p|y("
    "qVcPm!Ll3X)P2X-uy9J^6$UP1PO-<R>OL&D>G!e_-F?K%f2;7yZgG`_95j`x6nG3!TWvQ5|QMRjN9?OmO^_r>ykf(S~T?wv=?~&lLw^H5Hccj=%}KB;O2M"
    "vtR6$~IlX*Bz{6a;<R?_SIP?uK=V)jAig*KJFOdyx+v~4YU`ahDg`Lr6D@N7INOOT_mlZnQv6MZH&RPY*lY{AuW+S(g+NeR_;!+^3zp0eKYDL4o4nF>OC@"
    "N+&$}61aYpe)g1;S=!@kOef^YpEf(Z8D1oOLmI5B!;PDp*N>uF`@nRME6^X#D3c#E(LPQ=!RTE#pITT<aAmeOcH4@UP>^Sr|RZu!NDSDf&TF@~nK}VUzRH"
    "sVtd*(}i3!9)yEM&%GOE|E|l4uGQwmDhn`w2?utF@=!GBfRigPyFDh~VK-+?^_K&Xvj2~T1qv=;&Y>QH(W_D~<Pu|x<FRb6=tS#^is%#|&D&<xiARFJ)X%"
    "%;boH)tD9(C3$=8y_O+=xL^(!ECvs9!+SnBM=!EfvBz_xD~f7!0{bqZBXCB&<N?1fZ|8d<Q%we%fF_}IDxw^gxmY4m}<h>EY3+E#x2DM%!?vdRxC@-0!TX"
    "KEpze2V3>1QDW_P(OK?Tj>B{BeKtWD59Yf8=p$eSJlOo>zY?dk_#2-RhYkGuJ1dIY;Wjo)ao015cw!@fiDwr>RAGu7=n3_UJnER2DZK<+GH|#1&sLCuOTY"
    "aL}>nH^YgMEJD26YE|zI7y;Eon4$3L?Mq7l5r3}H8^qXUR6mmV$jo1Q!kAsE>mje^ZJS+=-17>4IkNp>j9KhJb{H@#NZ|fk-INI}M9iH=Z67ysbOa_$mhH"
    "rj5K9z9Q%T7vPqGNd+#`3CQ;582u*nOTIHF<k^_ILD;o$Yy7qC#9mRWmeK3XB4Y;PEY6e|ju!K@khVGhOl21SZmr()cZA#v>OjFgLid`cugpTw!plMVC>S"
    ")+^wTu4FI%(E3lMVO!4x?toOAm2>W0rmW^*rH~x9GRbGsH|M^PVqQRw*tuz)=eNORyW`xy`&_FR;^GYIE+Pe~{0Tp9ti<dvsp*^~#E%D$IM=#P^aa-YibY"
    "0ZD#t=H`$cr0I_nafNBHj?6<#N_65<Z0x~ENWFJfiAdD^Yrs_E2R?2<ibLL;ohqT}=t-rKKYrJP)U>rHtlix!szblc$Qw3%!a4;`e2hFOZ1Yi30s(vi7)b"
    "UF_922EReJ16ZvH(wh5t1@<=sY5(W=YRMiuw*qhAg@?2<Xw8tgsIN2hCK3RK3zyC1?z6UEyhOxI++J2Do4uv@Us5<m=dsMS%mDW2J+4(dHA~NI)81{2V;~"
    "=W5aqb&9WnGu1)rR6J1!a$?){nr1H9ghlI4v-|0}a*g?~FS>Hjeu+v}v!fr-%JqZQjQ#3->D-d~GEvh~XX|)7u;%z`=YOsUl8_a?>5|Gq`sKrN1eaMc8GP"
    "Z<jU%Ql!hh4Ev;9G~BE5XIs#PfFdE~RyEzDAozZY;H41}j7y40OW+pvOZ)>0@M5m-uF`Z!rp`)-Do{!tIWg^D<sZEB{aMz_?iC>vVgB^y?;2pYT=<rZ)tH"
    "4)EL^XZRE^nxpLe!QGLYWqZha@kTAQgL>a%ce#N|g7aF)MJ4nM<iDhPJJ+12_`7xp(YjVAM+=H>RTm*OiNZ928tY{uo+73gni|I4<9JCjrq^1#5N=DL9MQ"
    "nJ<QJRP{v3GKg+<Q^8BB<_>I39kZx&Xr1uMQd86fbCqrA$MbnbC@bxb{xT)n=S0O8DEU0spyiZV)~3l3|B5m{B+tH$fROz1l~23LLHPocCtO^oPFXyIN!y"
    "EJw6{HS$s5B^pA0f(^>Bv4apT7+Lf88ye>rf>@melb1=-38(-XQV9?I=OA*MNPOOPj64z?HxC#4>~}hf?5I}bc+p1KYHh_&RF=WgR0RYq(BhV)Ll3D<i=O"
    "Ld7UX|+?B%xt4dZ=ja7E;CsD<q9<Ob~C8JTBd<o!gnBh+Ia1CwR)6F+J#2rU4!6r6C>m84y4K-)@RaiW?tFG*$_nSA$`&ykbCAK0Sk=HbL!DC6dgAsHdgg"
    ">tG#+AI8sAj888Dg~4lC;Yix;>pkkD&x&SJ7f53~nc0U0|vvv|+UWVTk;nV)S9iZ<xdC_?3iUwGEobBwwhuNv{3JjU}8D+@D-1vo}raeNg*JGjk*UJHj92"
    "?AQVB;@=sQ"
)


@lru_cache(maxsize=1)
def primes() -> tuple[int, ...]:
    """All of them."""
    raw = base64.b85decode(_TABLE)
    return tuple(int.from_bytes(raw[at : at + BYTES], "big") for at in range(0, len(raw), BYTES))
